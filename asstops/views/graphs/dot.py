"""A picture in the DOT language of Graphviz. Pure. The syntax: https://graphviz.org/doc/info/lang.html."""

from __future__ import annotations

from asstops.model import Action
from asstops.views.graphs.picture import Node, Picture

_COLORS = {
    Action.CREATE: ("#1a7f37", "#dcf5e3"),
    Action.UPDATE: ("#9a6700", "#fdf1cf"),
    Action.REPLACE: ("#bc4c00", "#ffe3d3"),
    Action.DELETE: ("#cf222e", "#ffdedd"),
    Action.READ: ("#0969da", "#ddf0ff"),
}


def render_dot(picture: Picture) -> str:
    """Ends in a line break."""
    lines = [
        "digraph asstops {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fillcolor="white", fontname="sans-serif"];',
        '  edge [color="#57606a"];',
    ]
    lines += [f"  {node.id} [{_attributes(node)}];" for node in picture.nodes]
    lines += [f"  {picture.nodes[start].id} -> {picture.nodes[to].id};" for start, to in picture.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _attributes(node: Node) -> str:
    attributes = {"label": node.text}
    if node.action in _COLORS:
        attributes["color"], attributes["fillcolor"] = _COLORS[node.action]
    if node.action in (Action.DELETE, Action.REPLACE):
        attributes["penwidth"] = "2"
    if node.foreign:
        attributes["style"] = "rounded,dashed"
    if node.count > 1:
        attributes["peripheries"] = "2"
    return ", ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())


def _quoted(text: str) -> str:
    r"""A quoted string: only quotes need a backslash, but one of the text would begin an escape (`\n`, `\N`).

    Labels also know the entities of HTML, so a & of the text is written as one.
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") + '"'
