"""A picture as a Mermaid flowchart, which GitHub, GitLab and Azure DevOps draw from a ```mermaid block. Pure.

The syntax: https://mermaid.js.org/syntax/flowchart.html. Labels are quoted, and what has a meaning inside quotes is
written as an entity code (`#quot;`), which begins with # and ends with a semicolon.
"""

from __future__ import annotations

import re

from asstops.model import Action
from asstops.views.graphs.picture import Picture

_SPECIAL = re.compile(r"[^\w ./:()+~,=-]", re.ASCII)
# Fill, line and text: dark text on a light ground reads on light and dark pages alike.
STYLES = {
    Action.CREATE: "fill:#dcf5e3,stroke:#1a7f37,color:#0b3d1a",
    Action.UPDATE: "fill:#fdf1cf,stroke:#9a6700,color:#4a3200",
    Action.REPLACE: "fill:#ffe3d3,stroke:#bc4c00,color:#5c2400,stroke-width:3px",
    Action.DELETE: "fill:#ffdedd,stroke:#cf222e,color:#6b0f16,stroke-width:3px",
    Action.READ: "fill:#ddf0ff,stroke:#0969da,color:#06325f",
}


def render_mermaid(picture: Picture) -> str:
    """Ends in a line break. ASCII, so that no encoding can break it."""
    lines = ["flowchart LR"]
    if not picture.nodes:
        lines.append('  empty["no objects"]')
    for node in picture.nodes:
        left, right = ("([", "])") if node.foreign else ("[[", "]]") if node.count > 1 else ("[", "]")
        lines.append(f'  {node.id}{left}"{_quoted(node.text)}"{right}')
    lines += [f"  {picture.nodes[start].id} --> {picture.nodes[to].id}" for start, to in picture.edges]
    for action, style in STYLES.items():
        found = [node.id for node in picture.nodes if node.action is action]
        if found:
            lines += [f"  classDef {action.value}Action {style}", f"  class {','.join(found)} {action.value}Action"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # A label that begins as a list would (`- x`, `+ x`, `1. x`) is taken for Markdown: the space becomes one that is
    # none to Markdown. The same goes for what Markdown marks text with, which is why nearly everything is a code.
    escaped = _SPECIAL.sub(lambda match: f"#{ord(match.group())};", text)
    return re.sub(r"^([-+~/<=]+|\d+\.) ", r"\1#160;", escaped)
