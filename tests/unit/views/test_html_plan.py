"""The page of a plan: sound HTML with nothing from outside in it, and what it says."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
import samples
from hypothesis import given, settings
from plans import SECRET, plans

from asstops.model import Action, Address, Cause, Change, FieldDiff, ItemDiff, Notice, Plan, Ref, Resource, Target
from asstops.views.graphs import NO_LINKS, find_links
from asstops.views.html import render_plan
from asstops.views.html.render import MAX_GOING
from asstops.views.text import safe
from asstops.views.wording import summary_line

VOID = {"meta", "br", "path", "rect"}
TAGS = {
    "html",
    "head",
    "title",
    "meta",
    "style",
    "body",
    "header",
    "main",
    "section",
    "article",
    "h1",
    "h2",
    "h3",
    "p",
    "ul",
    "li",
    "dl",
    "dt",
    "dd",
    "div",
    "span",
    "b",
    "strong",
    "a",
    "br",
    "del",
    "ins",
    "details",
    "summary",
    "pre",
    "svg",
    "desc",
    "defs",
    "marker",
    "path",
    "g",
    "rect",
    "text",
}
ATTRIBUTES = re.compile(r"lang|charset|name|content|http-equiv|id|class|href|role|tabindex|aria-[a-z]+|xmlns|open")
DRAWING = re.compile(r"width|height|viewbox|d|x|y|rx|transform|marker-end|refx|refy|markerwidth|markerheight|orient")


@dataclass
class Page(HTMLParser):
    """What a browser makes of a page, with complaints where it would have to guess."""

    problems: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in TAGS:
            self.problems.append(f"<{tag}>")
        inside = "svg" in self.stack or tag == "svg"
        for name, value in attrs:
            if not (ATTRIBUTES.fullmatch(name) or (inside and DRAWING.fullmatch(name))):
                self.problems.append(f"<{tag} {name}>")
            if name == "href" and not re.fullmatch(r"#[a-z0-9-]+", value or ""):
                self.problems.append(f"href {value}")
        if tag not in VOID or (inside and tag in ("path", "rect")):
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.stack[-1] == tag:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.texts.append((self.stack[-1] if self.stack else "", data))

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"<!--{data}")

    def visible(self) -> str:
        return "".join(text for tag, text in self.texts if tag not in ("style", "title"))

    def all(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def page(plan: Plan, **more: Any) -> tuple[str, Page]:
    """The page as text and as read."""
    resources = {c.address: c.wanted for c in plan.changes if c.wanted is not None}
    text = render_plan(plan, more.pop("links", find_links(resources, plan)), **more)
    read = Page()
    read.feed(text)
    read.close()
    return text, read


def check(text: str, read: Page) -> None:
    assert text.isascii()
    assert text.startswith("<!doctype html>\n<html")
    assert text.endswith("</html>\n")
    assert read.problems == []
    assert read.stack == []
    ids = read.all("id")
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "aria-describedby"):
        assert set(read.all(name)) <= set(ids)
    assert {href.removeprefix("#") for href in read.all("href")} <= set(ids)
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for line in read.visible().split("\n"):
        assert safe(line) == line


@settings(max_examples=80, deadline=None)
@given(plans)
def test_every_plan_is_a_sound_page(plan: Plan) -> None:
    """Whatever is in a plan: no markup but ours, nothing hidden, no secret, the same every time."""
    text, read = page(plan)
    check(text, read)
    assert page(plan)[0] == text
    assert SECRET not in text
    assert summary_line(plan).partition(". ")[0].rstrip(".") in read.visible()


@pytest.mark.parametrize("name", samples.ALL)
def test_samples(name: str) -> None:
    """Every object of a plan has its place on the page, what goes stands first."""
    plan = samples.ALL[name]()
    text, read = page(plan, read="read 14 objects in 0.6 s")
    check(text, read)
    shown = read.visible()
    assert "read 14 objects in 0.6 s" in shown
    for change in plan.changes:
        assert safe(str(change.address)) in shown
    for notice in plan.notices:
        assert safe(notice.message) in shown
        assert safe(notice.fix) in shown
    assert ("Deleted or made anew" in shown) == any(c.action in (Action.DELETE, Action.REPLACE) for c in plan.changes)


def test_nothing_comes_from_outside() -> None:
    """No script, no handler, no address; and if one came in, the policy would stop it."""
    text, read = page(samples.replaced())
    policy = next(a["content"] for _, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    style = "".join(text for tag, text in read.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    assert re.findall(r"https?://[^\"]*", text.replace("http://www.w3.org/2000/svg", "")) == []


SCRIPT = "</style></title></pre><script>alert(1)</script><img src=x onerror=alert(1)>&lt;\" ' {{ 7*7 }} {% raw %}"


def test_markup_is_text() -> None:
    """Wherever it stands, what users wrote is shown as it was written."""
    address = Address("assistant", SCRIPT)
    wanted = Resource(address, {"x": [Ref(Address("file", SCRIPT))]}, origins={"instructions": SCRIPT})
    change = samples.update(
        "assistant",
        SCRIPT,
        FieldDiff(SCRIPT, SCRIPT, SCRIPT + "x", origin=SCRIPT, note=SCRIPT),
        FieldDiff("files", [], [SCRIPT], items=(ItemDiff(Action.CREATE, SCRIPT, SCRIPT),)),
        FieldDiff("functions", [{"name": SCRIPT}], [{"name": SCRIPT, "description": SCRIPT}]),
        FieldDiff("schema", {SCRIPT: SCRIPT}, {SCRIPT: [SCRIPT]}),
        name=SCRIPT,
        reason=SCRIPT,
        wanted=wanted,
        action=Action.REPLACE,
        prunes=(SCRIPT,),
    )
    made = Change(Address("assistant", "new"), Action.CREATE, None, {"model": SCRIPT, SCRIPT: {"a": SCRIPT}})
    target = Target(SCRIPT, SCRIPT, SCRIPT, SCRIPT)
    plan = Plan(target, (change, made), notices=(Notice(SCRIPT, SCRIPT, SCRIPT),), targets=(address,), complete=False)
    text, read = page(plan, read=SCRIPT)
    check(text, read)
    assert "<script" not in text
    assert "49" not in re.findall(r"\b49\b", read.visible())
    assert read.visible().count(SCRIPT) >= 20
    assert next(SCRIPT in text for tag, text in read.texts if tag == "title")


def test_changed_words_are_marked() -> None:
    """Lines have numbers and signs, in words too, and the words that differ are marked."""
    text, _ = page(samples.typical())
    assert (
        '<span class="s" aria-hidden="true">+</span><span class="vh">added: </span>'
        '<span class="t">Use a chart when asked<ins>, and always name the months it shows</ins>.</span>'
    ) in text
    assert (
        '<span class="vh">removed: </span><span class="t">Quarters follow the <del>calendar</del> year.</span>'
    ) in text
    assert '<span class="drift">drift: changed outside asstops</span>' in text


def test_short_values_stand_side_by_side() -> None:
    text, _ = page(samples.typical())
    assert (
        '<del class="value">0.5</del> <span aria-label="becomes" role="img">&#8594;</span> <ins class="value">1</ins>'
        in (text)
    )


def test_what_goes_is_told_first() -> None:
    """Before any change, and with a link to it; of very many the rest is counted."""
    text, read = page(samples.replaced())
    assert text.index('id="going"') < text.index('id="notices"') < text.index('id="changes"')
    assert '<a href="#c0">deployment.chat</a>' in text
    many = tuple(samples.file_change(Action.DELETE, f"{n:04}.md") for n in range(1_200))
    text, read = page(Plan(samples.TARGET, many))
    check(text, read)
    assert f"and {1_200 - MAX_GOING} more, below" in read.visible()
    assert "and 200 more files" in read.visible()
    assert len(text) < 700_000


def test_secrets_are_masked() -> None:
    """Sensitive fields of what changes and of what is new, and what is sensitive inside of a structure."""
    address = Address("assistant", "helper")
    wanted = Resource(address, {}, sensitive=frozenset({"metadata.pin", "tools.key", "instructions"}))
    change = samples.update(
        "assistant",
        "helper",
        FieldDiff("metadata.pin", "old-secret", "new-secret"),
        FieldDiff("instructions", "an old-secret here", "a new-secret here", sensitive=True),
        FieldDiff("tools", {"key": "old-secret"}, {"key": "new-secret", "a": 1}),
        wanted=wanted,
    )
    body = {"instructions": "a new-secret here", "metadata": {"pin": "new-secret", "owner": "me"}}
    made = Change(Address("assistant", "made"), Action.CREATE, None, body, wanted=wanted)
    text, read = page(Plan(samples.TARGET, (change, made)))
    assert "-secret" not in text
    assert read.visible().count("(sensitive value)") >= 3
    assert "owner" in read.visible()


def test_long_texts_are_bounded() -> None:
    """A prompt of 100 kB is shown, in lines that can be broken, and what is left out is said."""
    one, lines = "x" * 100_000, "line\n" * 20_000
    plan = Plan(
        samples.TARGET,
        (
            samples.update("assistant", "a", FieldDiff("instructions", one, "y" + one)),
            samples.update("assistant", "b", FieldDiff("instructions", None, lines, Cause.PENDING)),
            Change(Address("assistant", "c"), Action.CREATE, None, {"instructions": lines}),
        ),
    )
    text, read = page(plan)
    check(text, read)
    assert "18500 more lines" in read.visible()
    assert "more characters)" in read.visible()
    assert "text: 20,000 lines" in read.visible()
    assert len(text) < 1_500_000


def test_a_move_is_told() -> None:
    """Where an object had another key before."""
    from dataclasses import replace

    change = replace(samples.update("assistant", "new"), moved_from=Address("assistant", "old"))
    assert "moved from assistant.old" in page(Plan(samples.TARGET, (change,)))[1].visible()


def test_nothing_to_do() -> None:
    """A plan without changes says so, with nothing else to look at."""
    text, read = page(samples.unchanged())
    assert "No changes." in read.visible()
    assert "Live state matches the spec: 14 objects." in read.visible()
    assert 'id="changes"' not in text
    assert "<svg" not in text


def test_the_graph_leads_to_the_objects() -> None:
    """Nodes of objects that change are links; it is there as text as well."""
    address, used = Address("assistant", "a"), Address("vector_store", "v")
    wanted = Resource(address, {"store": Ref(used)})
    change = samples.update("assistant", "a", FieldDiff("model", "x", "y"), wanted=wanted)
    links = find_links({address: wanted, used: Resource(used, {})})
    text, read = page(Plan(samples.TARGET, (change,)), links=links)
    check(text, read)
    assert '<a href="#c0"><g class="g-node chg"><title>assistant.a, update</title>' in text
    assert "~ assistant.a\n└─ vector_store.v\n" in read.visible()
    assert "<svg" not in render_plan(Plan(samples.TARGET, (change,)), NO_LINKS)


def luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(two)))
    return (lighter + 0.05) / (darker + 0.05)


def test_colours_can_be_read() -> None:
    """WCAG AA, 4.5 to 1, for every pair of text and ground, in light and in dark; and no colour is missing."""
    text, _ = page(samples.typical())
    grounds = ["bg", "panel", "add-bg", "chg-bg", "rep-bg", "del-bg", "read-bg"]
    pairs = [("fg", ground) for ground in (*grounds, "add-mark", "del-mark")]
    pairs += [(ink, ground) for ink in ("dim", "link") for ground in ("bg", "panel")]
    pairs += [
        (f"{ink}", ground) for ink in ("add", "chg", "rep", "del", "read") for ground in ("bg", "panel", f"{ink}-bg")
    ]
    themes = [
        dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6});", rule)) for rule in re.findall(r":root\{(--[^}]*)\}", text)
    ]
    assert len(themes) == 2
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for colors in themes:
        assert {
            (ink, ground): round(contrast(colors[ink], colors[ground]), 1)
            for ink, ground in pairs
            if contrast(colors[ink], colors[ground]) < 4.5
        } == {}
        assert set(re.findall(r"var\(--([a-z-]+)\)", text)) <= set(colors)
    assert luminance(themes[0]["bg"]) > 0.9 > 0.1 > luminance(themes[1]["bg"])
