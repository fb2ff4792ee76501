"""What a shell offers: addresses and assistants of the spec that the line names, and nothing where that is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from asstops.cli.main import main

SPEC = """\
stack: small
assistants: {clerk: {model: gpt-4o}, cook: {model: gpt-4o}}
tests: {greets: {assistant: cook, ask: "Hello?", expect: {contains: Hello}}}
vector_stores: {kb: {files: [{glob: "*.md"}]}}
"""


def offered(*line: str) -> list[tuple[str, str]]:
    """(type, value) of what is offered for the last word."""
    *before, begun = line
    found = ShellComplete(main, {}, "asstops", "_ASSTOPS_COMPLETE").get_completions(before, begun)
    return [(item.type, item.value) for item in found]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asstops.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "a.md").write_text("A.\n", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    for name in ("asstops.prod.yaml", "asstops.dev.yaml", "other.test.yaml"):
        (tmp_path / name).write_text("{}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("plan", "--target", ""), ["assistant.clerk", "assistant.cook", "file.a.md", "vector_store.kb"]),
        (("apply", "--target", "vec"), ["vector_store.kb"]),
        (("adopt", "assistant.cl"), ["assistant.clerk"]),
        (("ask", "c"), ["clerk", "cook"]),
        (("chat", "assistant.co"), ["assistant.cook"]),
        (("--chdir", "sub", "-f", "../asstops.yaml", "rollback", "co"), ["cook"]),
        (("test", "gr"), ["greets"]),
        (("plan", "--env", ""), ["dev", "prod"]),
        (("explain", "assistant.te"), ["assistant.temperature"]),
        (("explain", "proj"), ["project"]),
        (("explain", "nonsense.a"), []),
        (("init", "a"), ["account", "agent"]),
    ],
)
def test_words_of_the_spec_are_offered(line: tuple[str, ...], words: list[str]) -> None:
    assert [word for _, word in offered(*line)] == words


def test_a_file_may_stand_where_an_address_does() -> None:
    assert offered("show", "vec") == [("plain", "vector_store.kb"), ("file", "vec")]


def test_a_broken_spec_offers_nothing() -> None:
    Path("asstops.yaml").write_text("stack: [\n", encoding="utf-8")
    assert offered("plan", "--target", "") == []
