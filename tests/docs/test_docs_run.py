"""What the pages tell people to type is typed, and prints what they say it prints."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, commands, read
from tests.docs.reference import filled
from tests.docs.stage import Outcome, comparable, play


def _failed(outcomes: list[Outcome]) -> list[str]:
    """Commands that ended in a non-zero code nobody looks at in the next line."""
    return [
        f"$ {outcome.command.text}\nexit {outcome.code}\n{outcome.stdout[-2000:]}{outcome.stderr[-2000:]}"
        for outcome, after in zip_longest(outcomes, outcomes[1:])
        if outcome.code and not (after and after.command.text == "echo $?")
    ]


@pytest.mark.parametrize("page", PAGES)
def test_commands_work_and_print_what_the_page_shows(page: str, tmp_path: Path, update_golden: bool) -> None:
    """Every command that is not marked `not run` succeeds; stdout is as shown, but for ids, times and ports."""
    text = read(page)
    outcomes = play(text, tmp_path)
    if failed := _failed(outcomes):
        pytest.fail("\n".join(failed), pytrace=False)
    if update_golden:
        (ROOT / page).write_text(filled(_refreshed(text, outcomes)), encoding="utf-8")
        return
    for outcome in outcomes:
        if outcome.command.shown is not None:
            assert comparable(outcome.stdout) == comparable(outcome.command.shown), f"$ {outcome.command.text}"


def _refreshed(text: str, outcomes: list[Outcome]) -> str:
    """The page with the output of this run, where it differs in more than ids, times and ports."""
    remaining = iter(outcomes)
    parts, at = [], 0
    for block in blocks(text):
        count = (
            len(commands(block)) if block.language in ("sh", "console") and block.note not in ("file", "edit") else 0
        )
        ran = [next(remaining) for _ in range(count)]
        if block.language == "console" and ran:
            parts += [text[at : block.start], "".join(_shown(outcome) for outcome in ran).rstrip("\n") + "\n"]
            at = block.end
    return "".join(parts) + text[at:]


def _shown(outcome: Outcome) -> str:
    first, *more = outcome.command.text.split("\n")
    prompt = "".join([f"$ {first}\n", *(f"> {line}\n" for line in more)])
    shown = outcome.command.shown or ""
    if comparable(shown) == comparable(outcome.stdout):
        return prompt + shown
    lines = "".join(line.rstrip() + "\n" for line in outcome.stdout.strip("\n").splitlines())
    return prompt + lines + "\n"
