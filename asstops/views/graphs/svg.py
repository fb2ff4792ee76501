"""A picture as SVG: a file of its own, or a part of a page that has the colours. Pure.

Actions are told by symbol, word and border as well as by colour. What a node stands for is its title, which screen
readers say and pointers show.
"""

from __future__ import annotations

from asstops.model import Action
from asstops.views.graphs.layout import Layout, Points, layout
from asstops.views.graphs.picture import Node, Picture, counted
from asstops.views.graphs.theme import CLASSES, DARK, LIGHT, filled
from asstops.views.text import cells, count, cut

MAX_LABEL = 30
_MARGIN = 12.0
_CELL = 7.9  # width of a character at 13 pixels, a little more than monospaced fonts have
_SMALL = 6.7
_LEGEND = 26.0

CSS = """
.g-edge{fill:none;stroke:var(--dim);stroke-width:1.3}
.g-tip{fill:var(--dim)}
.g-node rect{fill:var(--panel);stroke:var(--dim);stroke-width:1.2}
.g-node text,.g-legend{fill:var(--fg);
 font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.g-node text{font-size:13px}
.g-node text.g-kind,.g-legend{font-size:11px;fill:var(--dim)}
.g-node.foreign rect{stroke-dasharray:4 3}
.g-node.add rect{fill:var(--add-bg);stroke:var(--add)}
.g-node.chg rect{fill:var(--chg-bg);stroke:var(--chg)}
.g-node.rep rect{fill:var(--rep-bg);stroke:var(--rep);stroke-width:3}
.g-node.del rect{fill:var(--del-bg);stroke:var(--del);stroke-width:3;stroke-dasharray:7 3}
.g-node.read rect{fill:var(--read-bg);stroke:var(--read)}
.g-node.add text.g-kind{fill:var(--add)}
.g-node.chg text.g-kind{fill:var(--chg)}
.g-node.rep text.g-kind{fill:var(--rep)}
.g-node.del text.g-kind{fill:var(--del)}
.g-node.read text.g-kind{fill:var(--read)}
"""

_ARROW = (
    '<defs><marker id="g-arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="g-tip" d="M0,0.5 L8,4 L0,7.5 z"/></marker></defs>'
)


def render_svg(picture: Picture) -> str:
    """A whole SVG document, ending in a line break; ASCII, with colours for light and dark."""
    style = filled(f"{CSS}.g-ground{{fill:var(--bg)}}\n", LIGHT)
    dark = filled(f"{CSS}.g-ground{{fill:var(--bg)}}\n", DARK)
    style = f"<style>{style}@media (prefers-color-scheme:dark){{{dark}}}</style>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{_drawn(picture, {}, style)}\n'
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


def inline_svg(picture: Picture, links: dict[str, str]) -> str:
    """The drawing for a page that has `CSS` and the colours. `links` maps node ids to fragments (`#c3`)."""
    return _drawn(picture, links, "")


def _drawn(picture: Picture, links: dict[str, str], style: str) -> str:
    widths = [_width(node) for node in picture.nodes]
    found = layout(widths, picture.edges)
    legend = _legend(picture)
    width = max(found.width, len(legend) * _SMALL) + 2 * _MARGIN
    height = found.height + 2 * _MARGIN + (_LEGEND if legend else 0)
    # What has links in it is no image to a screen reader, or nobody could reach them.
    role = "group" if links else "img"
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    about = f'role="{role}" aria-labelledby="g-title" aria-describedby="g-desc"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {about} {size}>',
        f'<title id="g-title">{_escaped(picture.title or "What refers to what")}</title>',
        f'<desc id="g-desc">{_escaped(_described(picture))}</desc>',
        style,
        '<rect class="g-ground" width="100%" height="100%"/>' if style else "",
        _ARROW,
        f'<g transform="translate({_MARGIN:.0f} {_MARGIN:.0f})">',
        *(f'<path class="g-edge" marker-end="url(#g-arrow)" d="{_path(points)}"/>' for points in found.edges),
        *_nodes(picture, found, links),
        "</g>",
        f'<text class="g-legend" x="{_MARGIN:.0f}" y="{height - _MARGIN:.0f}">{_escaped(legend)}</text>'
        if legend
        else "",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def _nodes(picture: Picture, found: Layout, links: dict[str, str]) -> list[str]:
    result = []
    for node, (left, top, width, height) in zip(picture.nodes, found.boxes, strict=True):
        action = node.action if node.action is not None else Action.NOOP
        classes = f"g-node {CLASSES[action]}{' foreign' if node.foreign else ''}"
        behind = (
            f'<rect x="{left + 4:.1f}" y="{top + 4:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"/>'
            if node.count > 1
            else ""
        )
        drawn = (
            f'<g class="{classes}"><title>{_escaped(_told(node))}</title>{behind}'
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"/>'
            f'<text class="g-kind" x="{left + 10:.1f}" y="{top + 17:.1f}">{_escaped(_kind(node))}</text>'
            f'<text class="g-key" x="{left + 10:.1f}" y="{top + 35:.1f}">{_escaped(_key(node))}</text></g>'
        )
        result.append(f'<a href="{_escaped(links[node.id])}">{drawn}</a>' if node.id in links else drawn)
    return result


def _width(node: Node) -> float:
    return max(cells(_kind(node)) * _SMALL, cells(_key(node)) * _CELL) + 20


def _kind(node: Node) -> str:
    parts = [node.symbol, node.kind.replace("_", " "), "(not managed)" if node.foreign else ""]
    return " ".join(part for part in parts if part)


def _key(node: Node) -> str:
    return cut(node.label if node.address is None else node.label.partition(".")[2], MAX_LABEL)


def _told(node: Node) -> str:
    """A node in words."""
    about = [] if node.action is None else ["unchanged" if node.action is Action.NOOP else node.action.value]
    return ", ".join([node.label, *about, *(["not managed by this stack"] if node.foreign else [])])


def _described(picture: Picture) -> str:
    names = [node.label for node in picture.nodes]
    edges = [f"{names[start]} refers to {names[to]}" for start, to in picture.edges]
    return f"{count(sum(node.count for node in picture.nodes), 'object')}. {'; '.join(edges)}".strip()


def _legend(picture: Picture) -> str:
    """What the symbols mean, of those that are there."""
    words = {
        Action.CREATE: "created",
        Action.UPDATE: "updated",
        Action.REPLACE: "made anew",
        Action.DELETE: "deleted",
        Action.READ: "read",
    }
    there = counted(picture)
    return " · ".join(f"{action.symbol} {word}" for action, word in words.items() if action in there)


def _path(points: Points) -> str:
    """Curves between the layers, straight lines across them."""
    (x, y), *rest = points
    parts = [f"M{x:.1f},{y:.1f}"]
    for number, (to_x, to_y) in enumerate(rest):
        if number % 2 or to_y == y:
            parts.append(f"L{to_x:.1f},{to_y:.1f}")
        else:
            bend = max((to_x - x) / 2, 20)
            parts.append(f"C{x + bend:.1f},{y:.1f} {to_x - bend:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}")
        x, y = to_x, to_y
    return " ".join(parts)


def _escaped(text: str) -> str:
    """Fit for XML, as text and inside quotes. Control characters are gone already: labels are `safe`."""
    for character, code in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(character, code)
    return text
