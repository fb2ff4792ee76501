"""The documents: a plan, what drifted, and how an apply ended. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from asstops.model import Action, Change, Event, FieldDiff, Kept, Notice, Plan, Report, Verb
from asstops.views.created import goes_without_saying
from asstops.views.markdown.fields import changed, listed, made
from asstops.views.markdown.fitting import Part, Section, fit
from asstops.views.markdown.text import code, html_code, prose
from asstops.views.report import past, report_line
from asstops.views.text import count, cut, safe, seconds
from asstops.views.values import SENSITIVE, masked
from asstops.views.wording import (
    display_name,
    drift_line,
    file_facts,
    limited_line,
    place,
    record_line,
    summary_line,
    unchanged_line,
)

COMMENT_LIMIT: Final = 65_000
"""GitHub refuses a comment of more than 65,536 characters; bytes are counted here, which are never fewer."""
_MAX_NAMED = 30
_NOTICES = 16_000  # bytes of all notices, which stay when the rest is cut
_WORDS = {Action.DELETE: "delete", Action.REPLACE: "replace", Action.UPDATE: "update", Action.CREATE: "create"}
_GOING = (Action.DELETE, Action.REPLACE)
_ORDER = (Action.DELETE, Action.REPLACE, Action.UPDATE, Action.CREATE, Action.READ)


def marker(stack: str) -> str:
    """The comment by which a bot finds its own earlier one; nobody sees it."""
    return f"<!-- asstops:{re.sub(r'[^A-Za-z0-9._/-]', '_', stack)} -->"


def render_plan(plan: Plan, *, rest: str, limit: int = COMMENT_LIMIT) -> str:
    """A plan in less than `limit` bytes; `rest` is Markdown and says how to see what did not fit."""
    head = [_heading(plan, summary_line(plan)), marker(plan.target.stack), _where(plan)]
    head += [f"**{limited}**"] if (limited := _in_code(limited_line(plan))) else []
    head += [_going(plan), *_notices(plan.notices)]
    tail = [_in_code(record_line(plan)), unchanged_line(plan) if plan.is_empty else ""]
    return fit(head, list(_sections(plan)), tail, limit=limit, rest=rest)


def render_drift(plan: Plan, *, rest: str, limit: int = COMMENT_LIMIT) -> str:
    """What `asstops.drift.drift` has left of a plan."""
    head = [_heading(plan, drift_line(plan)), marker(plan.target.stack), _where(plan), *_notices(plan.notices)]
    tail = ["`asstops apply` puts back what drifted."] if plan.changes else []
    return fit(head, list(_sections(plan, drifted=True)), tail, limit=limit, rest=rest)


def render_report(report: Report, plan: Plan, *, rest: str, limit: int = COMMENT_LIMIT) -> str:
    """How an apply ended: what failed first, then what was not attempted, then what is done."""
    head = [_heading(plan, report_line(report)), _where(plan)]
    sections = []
    if report.failed:
        failed = tuple(Part(_failure(event)) for event in report.failed)
        sections.append(
            Section(
                f"<b>{count(len(failed), 'step')} failed</b>",
                failed,
                opened=True,
                names=("list of steps", "lists of steps"),
            )
        )
    for title, events in (("not attempted", report.skipped), ("done", report.done)):
        if events:
            parts = tuple(Part(_ended(event)) for event in events)
            sections.append(
                Section(f"{count(len(events), 'step')} {title}", parts, names=("list of steps", "lists of steps"))
            )
    return fit(head, sections, [], limit=limit, rest=rest)


def _heading(plan: Plan, line: str) -> str:
    return f"### {'Destroy ' if plan.destroy else ''}{code(cut(safe(plan.target.stack), 100))} · {line}"


def _where(plan: Plan) -> str:
    return " · ".join(code(cut(safe(text), 200)) for text in (plan.target.service, place(plan)) if text)


def _in_code(line: str) -> str:
    return prose(line, 2_000)


def _going(plan: Plan) -> str:
    """What will no longer be there, or not as the same object: before anything else."""
    going = sorted((c for c in plan.changes if c.action in _GOING), key=lambda change: _ORDER.index(change.action))
    if not going:
        return ""
    numbers = [
        f"{count(number, 'object')} will be {word}"
        for action, word in ((Action.DELETE, "deleted"), (Action.REPLACE, "replaced"))
        if (number := sum(1 for change in going if change.action is action))
    ]
    lines = ["> [!CAUTION]", f"> **{', '.join(numbers)}**", ">"]
    lines += [f"> - {_WORDS[c.action]} {code(cut(safe(str(c.address)), 160))}" for c in going[:_MAX_NAMED]]
    if len(going) > _MAX_NAMED:
        lines.append(f"> - … and {len(going) - _MAX_NAMED:,} more")
    return "\n".join(lines)


def _notices(notices: Sequence[Notice]) -> Iterator[str]:
    if not notices:
        return
    lines = ["> [!WARNING]"]
    room = _NOTICES
    for number, notice in enumerate(notices):
        where = f"{code(cut(safe(notice.address), 160))}: " if notice.address else ""
        fix = f" **Fix:** {prose(notice.fix)}" if notice.fix else ""
        line = f"> - {where}{prose(notice.message)}{fix}"
        room -= len(line.encode())
        if room < 0 and number:
            lines.append(f"> - … and {len(notices) - number:,} more")
            break
        lines.append(line)
    yield "\n".join(lines)


def _sections(plan: Plan, *, drifted: bool = False) -> Iterator[Section]:
    """Objects, those that go first; files in one section an action, since there may be thousands."""
    for action in _ORDER:
        of_it = [change for change in plan.changes if change.action is action]
        files = [] if drifted else [change for change in of_it if _is_plain_file(change)]
        yield from (_object(change, drifted=drifted) for change in of_it if drifted or not _is_plain_file(change))
        if files:
            yield _files(action, files)
    yield from () if drifted else (_kept(kept) for kept in plan.kept)


def _is_plain_file(change: Change) -> bool:
    return change.address.kind == "file" and all(diff.path == "content" for diff in change.diffs)


def _object(change: Change, *, drifted: bool) -> Section:
    # What drifted is put back in place or by a new object; which of them is the plan's business.
    symbol, word = ("!", "drift") if drifted else (change.action.symbol, _WORDS.get(change.action, "read"))
    title = f"<code>{symbol}</code> <b>{word}</b> {html_code(str(change.address))}"
    if name := display_name(change):
        title += f" {html_code(name[:400], 80)}"
    if number := len(change.diffs):
        title += f" · {count(number, 'field')}"
    parts = sorted(_parts(change), key=lambda part: bool(part.hunks))
    return Section(
        title,
        tuple(parts),
        opened=change.action in _GOING and not drifted,
        names=("drifted object", "") if drifted else (f"object to {word}", f"objects to {word}"),
    )


def _kept(kept: Kept) -> Section:
    """What drifted and stays as it is live; `+` is what the spec says."""
    title = f"<code>=</code> <b>kept as it drifted</b> {html_code(str(kept.address))}"
    parts = sorted((changed(diff) for diff in kept.diffs), key=lambda part: bool(part.hunks))
    return Section(title, tuple(parts), names=("kept object", ""))


def _parts(change: Change) -> Iterator[Part]:
    hidden = frozenset(diff.path for diff in change.diffs if diff.sensitive)
    hidden |= change.wanted.sensitive if change.wanted is not None else frozenset()
    origins = change.wanted.origins if change.wanted is not None else {}
    if change.moved_from is not None:
        yield Part(f"- moved from {code(str(change.moved_from))}")
    if change.reason:
        yield Part(f"- {prose(change.reason)}")
    if change.action in (Action.CREATE, Action.READ):
        for path, value in masked(change.after or {}, hidden).items():
            if value == SENSITIVE or not goes_without_saying(path, value):
                yield made(path, value, origins.get(path, "") if value != SENSITIVE else "")
    elif change.action is not Action.DELETE:
        for diff in change.diffs:
            yield changed(_shown(diff, hidden, origins.get(diff.path, "")))
    if change.prunes:
        yield Part(f"- deletes {count(len(change.prunes), 'older version')}: {code(', '.join(change.prunes[:50]))}")
    if change.retires and change.action in _GOING:
        yield Part(f"- goes with it: {count(len(change.retires), 'older copy', 'older copies')}")


def _shown(diff: FieldDiff, hidden: frozenset[str], origin: str) -> FieldDiff:
    """Without what is secret inside of it, and with the file that its text came from."""
    inner = frozenset(path.removeprefix(f"{diff.path}.") for path in hidden if path.startswith(f"{diff.path}."))
    before: Any = masked(diff.before, inner) if inner else diff.before
    after: Any = masked(diff.after, inner) if inner else diff.after
    sensitive = diff.sensitive or diff.path in hidden
    return replace(diff, before=before, after=after, sensitive=sensitive, origin=diff.origin or origin)


def _files(action: Action, files: Sequence[Change]) -> Section:
    sign = {Action.CREATE: "+", Action.DELETE: "-"}.get(action, "!")
    word = _WORDS.get(action, "read")
    lines = [f"{sign} {' · '.join([safe(str(change.address)), *file_facts(change)])}" for change in files]
    title = f"<code>{action.symbol}</code> <b>{word}</b> {count(len(files), 'file')}"
    return Section(title, (Part("", listed(lines)),), opened=action in _GOING, names=(f"list of files to {word}", ""))


def _failure(event: Event) -> str:
    fix = f" **Fix:** {prose(event.fix)}" if event.fix else ""
    message = event.message.replace("\n", " ") or "no reason was given"
    return f"- {code(str(event.address))} could not be {past(event.verb)}: {prose(message, 2_000)}{fix}"


def _ended(event: Event) -> str:
    time = f" ({seconds(event.elapsed_s)})" if event.elapsed_s else ""
    word = event.verb.value if event.state.value == "skipped" else past(Verb(event.verb))
    return f"- {code(str(event.address))} {word}{time}{f' · {prose(event.message)}' if event.message else ''}"
