"""How Sphinx builds the pages: `make docs` writes them to docs/_build/html, without a network.

The source directory is the root of the repository, so that a link means the same here and where the repository is
browsed: a page is a page, and any other file that a page links to is published with it. Folders cannot be linked to.
The lists of links in index.md are the tables of contents; a page that stands in none of them is an error.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "asstops"
version = release = re.findall(r'^__version__ = "(.+)"$', (ROOT / "asstops/__init__.py").read_text("utf-8"), re.M)[0]

root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "examples/README.md", "examples/*/README.md"]
exclude_patterns = [".*", "asstops", "bench", "build", "dist", "docs/_build", "htmlcov", "specs", "tests"]

extensions = ["myst_parser"]
myst_heading_anchors = 6
suppress_warnings = ["myst.header"]  # parts that are generated may begin below the level of their page
highlight_language = "text"

html_theme = "furo"
html_title = "asstops"
html_extra_path = ["site"]  # the index of the folder, which leads to docs/index.html
html_show_copyright = False
html_copy_source = False


def tables_of_contents(_: Sphinx, docname: str, source: list[str]) -> None:
    """Make each section of index.md, a heading and a list of links, a table of contents with that caption."""
    if docname == root_doc:
        source[0] = re.sub(
            r"^## (.+)\n\n((?:- .+\n)+)",
            lambda section: f"```{{toctree}}\n:caption: {section[1]}\n:maxdepth: 1\n\n{_entries(section[2])}```\n",
            source[0],
            flags=re.MULTILINE,
        )


def _entries(links: str) -> str:
    return re.sub(r"- \[(.+)\]\((.+)\.md\)", r"\1 <\2>", links)


def setup(app: Sphinx) -> None:
    app.connect("source-read", tables_of_contents)
