"""Plans as Markdown: read back with a CommonMark parser, where nothing a user wrote may be more than text in code."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
import samples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from plans import SECRET, plans

from asstops.drift import drift
from asstops.model import (
    Action,
    Address,
    Cause,
    Change,
    Event,
    FieldDiff,
    ItemDiff,
    Kept,
    Notice,
    Plan,
    Report,
    Resource,
    StepState,
    Verb,
)
from asstops.views.markdown import COMMENT_LIMIT, marker, render_drift, render_plan, render_report
from asstops.views.markdown.text import code, fence, prose
from asstops.views.text import safe

QUIET = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""A busy machine is no mistake of a test."""
REST = "`asstops plan` shows all of it."
EVIL = "Ω"
"""Stands in every text of a user here, and in nothing that the view says itself."""
# What has a meaning to Markdown, to HTML, or to GitHub.
hostile = st.text(alphabet=f"{EVIL}`<>&|*_[]()#@!\n\r \t\\~-+=:/'\".,;a1\u202e\x00$^", max_size=30).map(EVIL.__add__)
NASTY = [
    f"</details>{EVIL}<script>alert(1)</script>",
    f"```\n{EVIL}\n````` \n# {EVIL}",
    f"@everyone #1 org/repo#2 https://evil.example www.evil.example {EVIL}@evil.example",
    f"[{EVIL}](https://evil.example) ![{EVIL}](x) <b>{EVIL}</b> &lt;{EVIL}",
    f"{EVIL}\n\n> [!NOTE]\n> {EVIL}\n\n/close\n\n| {EVIL} | b |\n| --- | --- |\n",
    f"{EVIL}\u202e\u200b\x1b[2J\x00 -->{EVIL}<!-- ",
    f"`{EVIL}` ``{EVIL}`` ~~~\n{EVIL}",
]


class Balance(HTMLParser):
    """Reads the HTML blocks of a document: which tags there are, whether they match, and where text stands."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.sound = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sound = self.sound and tag in ("details", "summary", "code", "b") and attrs in ([], [("open", None)])
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.sound = self.sound and bool(self.open) and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.sound = self.sound and (EVIL not in data or self.open[-1:] == ["code"])

    def handle_comment(self, data: str) -> None:
        self.sound = self.sound and re.fullmatch(r" asstops:[A-Za-z0-9._/-]+ ", data) is not None


def check(text: str) -> None:
    """Nothing of a user is outside of code, every fence and every <details> is closed, nothing links or mentions."""
    html = Balance()
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type == "html_block":
            html.feed(token.content)
        elif token.type == "fence":
            assert token.content.endswith("\n")
            assert token.info == "diff"
            assert token.map is not None
            assert set(text.split("\n")[token.map[1] - 1]) == {"`"}, "the fence is not closed"
        elif token.type == "inline":
            for child in token.children or ():
                assert child.type in ("text", "code_inline", "strong_open", "strong_close", "em_open", "em_close",
                                      "softbreak"), child  # fmt: skip
                assert child.type != "text" or not set(child.content) & {EVIL, "@", "<", "`"}, child.content
        else:
            assert token.type.split("_")[0] in ("heading", "paragraph", "blockquote", "bullet", "list"), token.type
    html.close()
    assert html.sound
    assert html.open == []
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u200b\u2066-\u2069]", text)


def evil_plan(text: str, stack: str = "sales") -> Plan:
    """The text in every place that a user, or somebody in the portal, can write to."""
    body = {"name": text, "instructions": text, "metadata": {text: text}, "functions": [{"name": text, "a": text}]}
    address = Address("assistant", text)
    diffs = (
        FieldDiff("instructions", text, f"{text}{text}", Cause.DRIFT, origin=text, note=text),
        FieldDiff("temperature", 1, 2, Cause.DRIFT),
        FieldDiff(text, text, None),
        FieldDiff(
            "functions",
            [{"name": text, text: text, "long": "a" * 99}],
            [{"name": text, text: f"{text}\n{text}"}, {"name": f"{text}x"}],
        ),
        FieldDiff("files", [text], [], items=(ItemDiff(Action.DELETE, text, text),)),
        FieldDiff("metadata", {text: text}, {text: 2}),
    )
    there = samples.live("assistant", "id", text, body)
    return Plan(
        replace(samples.TARGET, stack=stack, account=text),
        (
            Change(address, Action.DELETE, body, None, reason=text, live=there),
            Change(address, Action.REPLACE, body, body, diffs=diffs, reason=text, live=there, prunes=(text,)),
            Change(address, Action.UPDATE, body, body, diffs=diffs, reason=text, live=there, moved_from=address),
            Change(
                address,
                Action.CREATE,
                None,
                body,
                wanted=Resource(address, body, origins={"instructions": text}),
            ),
            samples.file_change(Action.DELETE, text, reason=text),
            samples.file_change(Action.CREATE, f"{text}.md"),
        ),
        notices=(Notice(text, text, text),),
        targets=(address,),
        complete=False,
        kept=(Kept(address, diffs),),
    )


@pytest.mark.parametrize("text", NASTY)
def test_hostile_text_stays_text(text: str) -> None:
    plan = evil_plan(text)
    for shown in (render_plan(plan, rest=REST), render_drift(drift(plan), rest=REST)):
        check(shown)
        assert EVIL in shown
    event = Event(Address("assistant", text), Verb.CREATE, StepState.FAILED, text, text)
    report = Report(done=(event,), failed=(event,), skipped=(event,), wrote=True)
    check(render_report(report, plan, rest=REST))


@settings(QUIET, max_examples=40)
@given(hostile, st.integers(3_000, 9_000))
def test_any_text_stays_text_and_below_any_limit(text: str, limit: int) -> None:
    shown = render_plan(evil_plan(text, stack="s"), rest=REST, limit=limit)
    check(shown)
    assert len(shown.encode()) < max(limit, 6_000)


@settings(QUIET, max_examples=30)
@given(plans)
def test_no_secret_and_no_broken_structure(plan: Plan) -> None:
    """Whatever the plan: it reads as CommonMark, and what is sensitive is not in it."""
    shown = render_plan(plan, rest=REST)
    assert SECRET not in shown
    assert shown.count("<details") == shown.count("</details>")
    assert len(shown.encode()) < COMMENT_LIMIT


@settings(QUIET, max_examples=60)
@given(st.text(alphabet="` ab\n\\<*", min_size=1, max_size=12))
def test_code_gives_back_what_went_in(text: str) -> None:
    [inline] = MarkdownIt("commonmark").parse(f"- {code(text)}")[2:-2][1:2]
    children = [(child.type, child.content) for child in inline.children or ()]
    wanted = safe(text) if safe(text).strip(" ") else f'"{text}"'
    assert children == [("code_inline", wanted)]
    lines = [safe(line) for line in text.split("\n")]
    [block] = MarkdownIt("commonmark").parse(fence(lines, "diff"))
    assert block.content == "\n".join([*lines, ""])


def test_prose_keeps_words_and_puts_the_rest_in_code() -> None:
    text = "its name can't be gpt-4o; 'asstops adopt a.b x' takes it over, or see https://x.example (2 files)."
    expected = "its name can't be `gpt-4o`; `asstops adopt a.b x` takes it over, or see `https://x.example` (2 files)."
    assert prose(text) == expected


def test_begins_with_the_summary_and_the_marker() -> None:
    """A bot reads the first line, and finds its own comment by the marker."""
    lines = render_plan(samples.typical(), rest=REST).split("\n")
    assert lines[0].startswith("### `contoso-sales/prod` · Plan: 1 to add, 3 to change, 0 to destroy. 2 fields")
    assert lines[2] == "<!-- asstops:contoso-sales/prod -->" == marker("contoso-sales/prod")
    assert marker("a--><b>") == "<!-- asstops:a--__b_ -->"


def test_shows_what_changes() -> None:
    shown = render_plan(samples.typical(), rest=REST)
    assert "- `temperature`: `0.7` → `0.1` · drift: also changed outside asstops\n" in shown
    assert "**`instructions`** · `prompts/sales.md`\n\n```diff\n" in shown
    assert "\n- Use a chart when asked.\n+ Use a chart when asked, and always name the months it shows.\n" in shown
    assert "\n! file.kb/returns.md   new content\n" in shown
    assert "- `sku.capacity`: `30`\n" in shown
    check(shown)


def test_compares_functions_by_name_in_whatever_order() -> None:
    lookup = {"name": "lookup", "description": "One order by its number.", "parameters": {"properties": {}}}
    ticket = {"name": "ticket", "parameters": {"urgency": {"enum": ["low", "high"]}, "about": "a line\nanother\n"}}
    urgent = {**ticket, "parameters": {"urgency": {"enum": ["low", "top"]}, "about": "a line\nthe other\n"}}
    change = samples.update("assistant", "a", FieldDiff("functions", [lookup, ticket], [urgent, lookup]))
    shown = render_plan(Plan(samples.TARGET, (change,)), rest=REST)
    fence = [
        "! ticket",
        "- parameters.urgency.enum: [low, high]",
        "+ parameters.urgency.enum: [low, top]",
        "! parameters.about",
        "  a line",
        "- another",
        "+ the other",
    ]
    assert "\n".join(["**`functions`**: 1 of 2 differ", "", "```diff", *fence, "```", ""]) in shown
    assert "lookup" not in shown
    check(shown)


def test_what_goes_stands_first_and_open() -> None:
    shown = render_plan(samples.replaced(), rest=REST)
    assert "> [!CAUTION]\n> **2 objects will be replaced**\n>\n> - replace `deployment.chat`\n" in shown
    titles = re.findall(r"<details( open)?><summary><code>(.*?)</code>", shown)
    assert titles == [(" open", "-/+"), (" open", "-/+"), ("", "~")]
    shown = render_plan(samples.removed(), rest=REST)
    assert "> - delete `assistant.triage`\n> - delete `file.old/terms.pdf`" in shown
    check(shown)


def test_an_empty_plan_and_no_drift() -> None:
    shown = render_plan(samples.unchanged(), rest=REST)
    assert shown.split("\n")[0] == "### `contoso-sales/prod` · No changes."
    assert "Live state matches the spec: " in shown
    assert render_drift(samples.unchanged(), rest=REST).split("\n")[0] == "### `contoso-sales/prod` · No drift."


def test_drift_shows_drift_alone() -> None:
    shown = render_drift(drift(samples.typical()), rest=REST)
    assert shown.startswith("### `contoso-sales/prod` · 2 fields of 1 object have drifted.\n")
    assert "`top_p`" in shown
    assert "instructions" not in shown


@pytest.mark.parametrize("path", ["name", "instructions", "metadata.token", "metadata"])
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_masks_sensitive_fields(path: str, action: Action) -> None:
    values = {"name": SECRET, "instructions": f"{SECRET}\nx", "metadata": {"token": SECRET}}
    top = path.partition(".")[0]
    body = {"model": "gpt-4o", top: values[top]}
    address = Address("assistant", "a")
    change = Change(
        address,
        action,
        None if action is Action.CREATE else body,
        None if action is Action.DELETE else body,
        diffs=(FieldDiff(top, values[top], {"token": f"{SECRET}2"}),) if action is Action.UPDATE else (),
        wanted=Resource(address, body, sensitive=frozenset({path})),
    )
    shown = render_plan(Plan(samples.TARGET, (change,)), rest=REST)
    assert SECRET not in shown
    assert "sensitive value" in shown or action is Action.DELETE or path == "name"


def big(objects: int, lines: int) -> Plan:
    prompt = "".join(f"Rule {n}: be kind ``` to visitors.\n" for n in range(lines))
    old = prompt.replace("kind", "good")
    return Plan(
        samples.TARGET,
        tuple(
            samples.update("assistant", f"a{n}", FieldDiff("instructions", old, prompt), FieldDiff("top_p", 0.1, 0.2))
            for n in range(objects)
        ),
    )


@pytest.mark.parametrize(("objects", "lines"), [(1, 3_000), (60, 120), (1_500, 2)])
def test_is_cut_in_whole_pieces(objects: int, lines: int) -> None:
    """Fences and details stay closed, the summary stays, and what is missing is said."""
    shown = render_plan(big(objects, lines), rest=REST)
    assert 20_000 < len(shown.encode()) < COMMENT_LIMIT < 65_536
    check(shown)
    assert shown.startswith(f"### `contoso-sales/prod` · Plan: 0 to add, {objects:,} to change, 0 to destroy.")
    [note] = re.findall(r"> \[!NOTE\]\n> Cut for length: (.*)\n", shown)
    assert note.endswith(f". {REST}")
    named = shown.count("<details>")
    if objects > named:
        assert f"{objects - named:,} objects to update" in note
    if objects <= 60:
        assert named == objects
        assert shown.count("`top_p`: `0.1` → `0.2`") == objects, "what is short stays"
        assert f"{objects} field" in note
        assert "_1 field is cut short or left out for length._" in shown


def test_many_short_fields_are_cut_too() -> None:
    diffs = tuple(FieldDiff(f"metadata.key{n}", "old", "new") for n in range(3_000))
    shown = render_plan(Plan(samples.TARGET, (samples.update("assistant", "a", *diffs),)), rest=REST)
    assert 50_000 < len(shown.encode()) < COMMENT_LIMIT
    left_out = 3_000 - shown.count("`old` → `new`")
    assert f"> Cut for length: {left_out:,} fields. {REST}\n" in shown
    assert f"_{left_out:,} fields are cut short or left out for length._" in shown


def test_many_notices_leave_room() -> None:
    """They stay whole when the rest is cut, so they may not take it all."""
    plan = replace(
        big(1, 3_000), notices=tuple(Notice("漢字\u202e" * 400, f"assistant.a{n}", "漢" * 900) for n in range(50))
    )
    shown = render_plan(plan, rest=REST)
    assert len(shown.encode()) < COMMENT_LIMIT
    assert re.search(r"> - … and [0-9]+ more\n", shown)
    assert "Cut for length: 1 field." in shown
    check(shown)


def test_nothing_is_cut_that_fits() -> None:
    shown = render_plan(big(1, 300), rest=REST)
    assert "Cut for length" not in shown
    assert "\n+ Rule 299: be kind ``` to visitors.\n````\n" in shown


def test_tells_what_is_kept_and_what_is_moved() -> None:
    kept = Kept(Address("assistant", "a"), (FieldDiff("temperature", 0.9, 0.2, Cause.DRIFT),))
    moved = samples.update("assistant", "b", FieldDiff("top_p", 1, 0), moved_from=Address("assistant", "old"))
    shown = render_plan(Plan(samples.TARGET, (moved,), kept=(kept,)), rest=REST)
    assert "<b>kept as it drifted</b> <code>assistant.a</code></summary>\n\n- `temperature`: `0.9` → `0.2`" in shown
    assert "- moved from `assistant.old`\n" in shown


def test_a_report_tells_of_failures_first() -> None:
    events: dict[str, Any] = {"verb": Verb.CREATE, "elapsed_s": 1.5}
    report = Report(
        done=(Event(Address("deployment", "a"), state=StepState.DONE, **events),),
        failed=(
            Event(Address("assistant", "b"), state=StepState.FAILED, message="answered 429", fix="try again", **events),
        ),
        skipped=(Event(Address("assistant", "c"), Verb.UPDATE, StepState.SKIPPED),),
        wrote=True,
    )
    shown = render_report(report, samples.typical(), rest=REST)
    assert shown.startswith("### `contoso-sales/prod` · Applied: 1 done, 1 failed, 1 not attempted.\n")
    assert "- `assistant.b` could not be created: answered 429 **Fix:** try again\n" in shown
    assert shown.index("1 step failed") < shown.index("1 step not attempted") < shown.index("1 step done")
    assert "- `assistant.c` update\n" in shown
    assert "- `deployment.a` created (1.5s)\n" in shown
    check(shown)
