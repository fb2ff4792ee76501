"""The page of a plan: put together from values, and written with the template. Reads the template, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from asstops.model import Action, Change, Plan
from asstops.views.graphs import Links, Picture, picture
from asstops.views.graphs.svg import CSS, inline_svg
from asstops.views.graphs.theme import DARK, LIGHT, declared
from asstops.views.graphs.tree import render_tree
from asstops.views.html.cards import GOING, ORDER, card, is_plain_file, lists
from asstops.views.html.shapes import Card, Count, Doing, Files, Going, Page, Told
from asstops.views.text import count, safe, told
from asstops.views.wording import limited_line, place, record_line, summary_line, unchanged_line

if TYPE_CHECKING:
    from jinja2 import Template

MAX_GOING = 100
MAX_NOTICES = 200
_WORDS = ((Action.CREATE, "to add"), (Action.UPDATE, "to change"), (Action.DELETE, "to destroy"))


def render_plan(plan: Plan, links: Links, *, read: str = "") -> str:
    """The whole page, ending in a line break. Mask secrets in the plan and the links first.

    ASCII: everything else is a character reference, so that no encoding on the way can break it. The same plan gives
    the same page, but for `read`, the last part of the heading.
    """
    page = _page(plan, links, read)
    text = _template().render(page=page)
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii").rstrip("\n") + "\n"


@lru_cache(maxsize=1)
def _template() -> Template:
    import jinja2
    from markupsafe import Markup

    here = files(__package__)
    sources = {name: (here / name).read_text(encoding="utf-8") for name in ("plan.html.jinja", "parts.html.jinja")}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(sources),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    # Ours, not users': the only two that are markup already are this style sheet and the drawing.
    style = (here / "page.css").read_text(encoding="utf-8")
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{declared(DARK)}}}}}"
    environment.globals["style"] = Markup(f":root{{{declared(LIGHT)}}}\n{dark}\n{CSS}\n{style}")  # noqa: S704
    environment.filters["drawing"] = Markup
    return environment.get_template("plan.html.jinja")


def _page(plan: Plan, links: Links, read: str) -> Page:
    ordered = sorted(plan.changes, key=lambda change: (ORDER.index(change.action), change.address))
    plain = [change for change in ordered if is_plain_file(change)]
    others = [change for change in ordered if not is_plain_file(change)]
    cards = tuple(card(change, f"c{number}") for number, change in enumerate(others))
    found = tuple(lists(plain, "f-"))
    places = _places(others, cards, plain, found)
    going = [change for change in ordered if change.action in GOING]
    shown = picture(links, plan, title=f"What refers to what in stack {safe(plan.target.stack)}")
    summary, _, drifted = summary_line(plan).partition(". ")
    remarks = [
        drifted,
        unchanged_line(plan) if plan.is_empty else _stays(plan),
        record_line(plan),
    ]
    stack = safe(plan.target.stack)
    return Page(
        title=f"{summary_line(plan).removeprefix('Plan: ').rstrip('.')} · {stack}",
        heading=stack,
        about=tuple(safe(part) for part in (plan.target.service, place(plan), read) if part),
        summary=f"{summary.rstrip('.')}.",
        remarks=tuple(remark for remark in remarks if remark),
        limited=limited_line(plan),
        counts=() if plan.is_empty else tuple(_counts(plan)),
        going=tuple(
            Going(places[str(c.address)], Doing.of(c.action), safe(str(c.address)), told(c.reason))
            for c in going[:MAX_GOING]
        ),
        going_more=max(0, len(going) - MAX_GOING),
        notices=tuple(_notices(plan)),
        cards=cards,
        files=found,
        svg=_drawing(shown, places),
        tree=render_tree(shown, width=10_000, color=False) if shown.nodes else "",
    )


def _places(
    others: list[Change], cards: tuple[Card, ...], plain: list[Change], found: tuple[Files, ...]
) -> dict[str, str]:
    """Where on the page each object stands: address -> id."""
    places = {str(change.address): shown.id for change, shown in zip(others, cards, strict=True)}
    of_action = {shown.doing.css: shown for shown in found}
    number: dict[str, int] = {}
    for change in plain:
        shown = of_action[Doing.of(change.action).css]
        at = number.get(shown.id, 0)
        number[shown.id] = at + 1
        places[str(change.address)] = shown.rows[at].id if at < len(shown.rows) else shown.id
    return places


def _counts(plan: Plan) -> Iterator[Count]:
    counts = plan.summary()
    for (action, text), number in zip(_WORDS, (counts.add, counts.change, counts.destroy), strict=True):
        yield Count(Doing.of(action if number else Action.NOOP), f"{number:,}", text)
    if counts.unchanged:
        yield Count(Doing.of(Action.NOOP), f"{counts.unchanged:,}", "unchanged")


def _stays(plan: Plan) -> str:
    replaced = sum(1 for change in plan.changes if change.action is Action.REPLACE)
    return f"{count(replaced, 'replacement')} counted as added and as destroyed." if replaced else ""


def _notices(plan: Plan) -> Iterator[Told]:
    for notice in plan.notices[:MAX_NOTICES]:
        yield Told(safe(notice.address), told(notice.message), told(notice.fix))
    if len(plan.notices) > MAX_NOTICES:
        yield Told("", f"… and {len(plan.notices) - MAX_NOTICES:,} more notices", "")


def _drawing(shown: Picture, places: dict[str, str]) -> str:
    """The graph, with links to the objects; nothing where there is nothing to relate."""
    if not shown.edges:
        return ""
    ids = {
        node.id: f"#{places[str(node.address)]}" for node in shown.nodes if str(node.address) in places and node.address
    }
    return inline_svg(shown, ids)
