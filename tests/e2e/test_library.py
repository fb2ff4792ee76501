"""`import asstops` as programs use it: load, plan, apply, destroy, with values in and out and nothing printed."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import threading
from typing import Any

import pytest

import asstops
from asstops import library
from tests.support.live import is_bare
from tests.support.program import REPOSITORY
from tests.support.stage import Stage

SPEC: dict[str, Any] = {
    "stack": "small",
    "vars": {"who": "a clerk", "pin": {"sensitive": True}},
    "files": {"hours": {"path": "hours.md"}},
    "vector_stores": {"kb": {"files": ["hours"]}},
    "assistants": {
        "clerk": {
            "model": "gpt-4o",
            "instructions": "You are ${who}.",
            "tools": [{"file_search": {"vector_store": "kb"}}],
        },
        "cook": {"model": "gpt-4o", "metadata": {"pin": "${pin}"}},
    },
}
SECRET = "pear-trees-7"


@pytest.fixture(params=["assistants", "agents"])
def stack(request: pytest.FixtureRequest, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> asstops.Stack:
    """The spec, with the process's own environment pointing at the emulator."""
    stage.folder.joinpath("hours.md").write_text("Nine to five.\n", encoding="utf-8")
    for name, value in stage.environ.items():
        monkeypatch.setenv(name, value)
    stage.write({**SPEC, "service": request.param})
    return _loaded(stage)


def _loaded(stage: Stage, **variables: str) -> asstops.Stack:
    return asstops.load("asstops.yaml", variables={"pin": SECRET, **variables}, folder=stage.folder)


def test_a_stack_lives_its_whole_life(stage: Stage, stack: asstops.Stack, capfd: pytest.CaptureFixture[str]) -> None:
    planned = asstops.plan(stack, folder=stage.folder)
    assert planned.plan.summary().add == 4
    assert stage.writes() == []
    seen: list[asstops.Event] = []
    report = asstops.apply(stack, planned, on_event=seen.append, folder=stage.folder)
    assert {str(event.address) for event in report.done} == {
        "file.hours",
        "vector_store.kb",
        "assistant.clerk",
        "assistant.cook",
    }
    assert {event.address for event in seen} >= {event.address for event in report.done}
    assert asstops.plan(stack, folder=stage.folder).is_empty
    changed = _loaded(stage, who="a cook")
    assert [str(change.address) for change in asstops.plan(changed, folder=stage.folder).plan.changes] == [
        "assistant.clerk"
    ]
    assert len(asstops.apply(changed, folder=stage.folder).done) == 1
    asstops.destroy(changed, folder=stage.folder)
    assert is_bare(stage.dump())
    assert capfd.readouterr() == ("", "")


def test_only_the_plan_that_was_seen_is_carried_out(stage: Stage, stack: asstops.Stack) -> None:
    """A spec that moved, and a live state that moved, are both told, and nothing is written."""
    planned = asstops.plan(stack, folder=stage.folder)
    stage.look_away()
    with pytest.raises(asstops.StalePlan) as stale:
        asstops.apply(_loaded(stage, who="a cook"), planned, folder=stage.folder)
    assert "assistant.clerk: instructions" in str(stale.value)
    assert stage.writes() == []
    asstops.apply(stack, folder=stage.folder)
    with pytest.raises(asstops.StalePlan, match=r"assistant\.clerk: it exists already"):
        asstops.apply(stack, planned, folder=stage.folder)
    asstops.apply(stack, asstops.plan(stack, folder=stage.folder), folder=stage.folder)


def test_a_plan_is_of_one_stack(stage: Stage, stack: asstops.Stack) -> None:
    """The same entries under another name are another stack, to which the plan says nothing."""
    planned = asstops.plan(stack, folder=stage.folder)
    stage.write({**SPEC, "service": stack.service, "stack": "other"})
    with pytest.raises(asstops.StalePlan, match="made for the stack small, here it is other"):
        asstops.apply(_loaded(stage), planned, folder=stage.folder)
    assert stage.writes() == []
    with pytest.raises(asstops.UsageError):
        asstops.apply(stack, planned, parallelism=0, folder=stage.folder)


def test_a_plan_shows_no_secret(stage: Stage, stack: asstops.Stack) -> None:
    planned = asstops.plan(stack, targets=["assistant.cook"], folder=stage.folder)
    assert "assistant.cook" in planned.as_text()
    assert SECRET not in planned.as_text() + str(planned.as_json()) + repr(planned) + repr(stack)
    assert [change["address"] for change in planned.as_json()["changes"]] == ["assistant.cook"]
    with pytest.raises(asstops.UsageError):
        asstops.plan(stack, targets=["cook"], folder=stage.folder)
    with pytest.raises(asstops.UsageError, match="is no stack"):
        asstops.plan("asstops.yaml")  # type: ignore[arg-type]
    with pytest.raises(asstops.UsageError):
        asstops.plan(stack, on_drift="ignore", folder=stage.folder)


def test_guards_hold_and_two_never_run_at_once(stage: Stage, stack: asstops.Stack) -> None:
    asstops.apply(stack, folder=stage.folder)
    with (
        library.connect(stack, folder=stage.folder) as connection,
        connection.locked(0, threading.Event()),
        pytest.raises(asstops.Locked),
    ):
        asstops.apply(stack, folder=stage.folder)
    stage.write({"stack": "small", "service": stack.service, "vars": SPEC["vars"]})
    with pytest.raises(asstops.UnsafePlan):
        asstops.apply(_loaded(stage), folder=stage.folder)
    stage.write({"stack": "small", "vars": SPEC["vars"], "assistants": {"one": {"modle": "gpt-4o"}}})
    with pytest.raises(asstops.SpecInvalid) as wrong:
        _loaded(stage)
    assert any("modle" in problem.message for problem in wrong.value.problems)


def test_the_page_is_right(
    stage: Stage, stack: asstops.Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program of docs/library.md runs, and the arguments and errors it names are those that there are."""
    page = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    stage.write({**SPEC, "service": stack.service, "vars": {"who": "a clerk", "pin": "none"}})
    monkeypatch.chdir(stage.folder)
    program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    exec(compile(program, "nightly.py", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-2:] == ["+ vector_store.kb", "4 done, 0 failed, 0 not attempted"]
    for name, arguments in re.findall(r"^\| `(\w+)\(([^)]*)\)`", page, re.MULTILINE):
        known = inspect.signature(getattr(asstops, name)).parameters
        assert set(re.findall(r"\w+(?==)", arguments)) <= set(known) or name == "destroy"
    errors = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert len(errors) == 7
    assert all(issubclass(getattr(asstops, name), asstops.AsstopsError) for name in errors)


def test_importing_it_is_quick_and_all_it_names_is_there() -> None:
    code = "import sys, asstops; print({'pydantic', 'openai', 'yaml', 'click'} & set(sys.modules)); "
    code += "print([name for name in asstops.__all__ if getattr(asstops, name, None) is None])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "set()\n[]\n"
    assert "apply" in dir(asstops)
    with pytest.raises(AttributeError):
        asstops.nonsense  # noqa: B018
