"""What refers to what, as a picture: a tree for a terminal, Mermaid, Graphviz and SVG. Pure.

`links` says what there is, `picture` folds it to what a reader can take in, and one module for each form draws that.
"""

from __future__ import annotations

from asstops.views.graphs.links import NO_LINKS, Links, find_links
from asstops.views.graphs.picture import Node, Picture, picture

__all__ = ["NO_LINKS", "Links", "Node", "Picture", "find_links", "picture"]
