"""A large file over a bad line: it arrives once, what it took is told, and no more of it is held than a block."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asstops.executor import UPLOADS
from asstops.model import Event, StepState
from asstops.providers import upload
from asstops.providers.limiter import MAX_FAILURES
from asstops.views.progress import PlainProgress
from tests.support.bad_line import BadLine

from .conftest import Ended, World
from .test_pressure import applied, steady
from .test_uploads import pages, unrecorded

Here = Callable[..., Ended]
SIZE = 9_000_000
AFTER = 200_000
APPLY = ("apply", "-y")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What the display of an apply was told of, the large file told of at every block."""
    events: list[Event] = []

    def handle(self: PlainProgress, event: Event) -> None:
        events.append(event)
        shown(self, event)

    shown = PlainProgress.handle
    monkeypatch.setattr(PlainProgress, "handle", handle)
    monkeypatch.setattr(upload, "REPORT_EVERY_S", 0)
    return events


def reached(events: list[Event]) -> list[int]:
    return [event.done for event in events if event.state is StepState.PROGRESS and event.total == SIZE]


@pytest.fixture
def large(world: World) -> World:
    """One large file, which an assistant uses, in the account of the environment."""
    (world.folder / "large.txt").write_bytes(b"a line of text\n" * (SIZE // 15))
    code = {"code_interpreter": {"files": ["large"]}}
    world.spec(
        resource=None, files={"large": {"path": "large.txt"}}, assistants={"a": {"model": "gpt-4o", "tools": [code]}}
    )
    return world


def over(line: BadLine) -> dict[str, str]:
    return {"AZURE_OPENAI_ENDPOINT": line.url}


def sent(world: World) -> int:
    """Uploads that the service was given all of."""
    return len([entry for entry in world.requests("POST") if entry["path"].endswith("/files")])


def test_it_is_read_block_by_block_and_told_of(
    large: World, here: Here, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large it is, the SDK asks for small blocks, and for all of it once."""
    asked: list[int] = []
    read = upload.Content.read

    def counted(self: upload.Content, size: int = -1) -> bytes:
        asked.append(size)
        return read(self, size)

    monkeypatch.setattr(upload.Content, "read", counted)
    ended = here(large, *APPLY)
    applied(ended)
    assert 0 < min(asked) <= max(asked) <= 1_000_000
    assert sum(asked) < SIZE + 2 * max(asked)
    assert reached(told) == sorted(reached(told))
    assert (reached(told)[0], reached(told)[-1]) == (0, SIZE)
    assert sent(large) == 1


def test_a_line_that_breaks_in_the_middle(large: World, here: Here, told: list[Event]) -> None:
    """The service never had all of it, so it is simply sent again, from the start, and leaves nothing to clear up."""
    with BadLine(large.server.url, AFTER, cuts=2) as line:
        applied(here(large, *APPLY, **over(line)))
    assert line.cut == 2
    assert reached(told).count(0) == 3
    assert sent(large) == 1
    assert [page.note for page in pages(large.dump())] == [None]
    steady(large, here)


def test_a_line_that_always_breaks(large: World, here: Here) -> None:
    """After some attempts it is an error that says how far it came; nothing was made, nothing is left."""
    with BadLine(large.server.url, AFTER, cuts=1000) as line:
        ended = here(large, *APPLY, **over(line))
    assert ended.code == 3, ended
    assert line.cut == 1 + MAX_FAILURES
    assert "uploading large.txt: the connection broke before the answer came, after" in ended.text
    assert "of 9,000,000 bytes" in ended.text
    assert (sent(large), large.dump()["files"]) == (0, [])
    applied(here(large, *APPLY))
    assert sent(large) == 1
    steady(large, here)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_an_answer_that_is_lost_again_and_again(world: World, here: Here, cut: str) -> None:
    """Whoever had all of it may have made a file each time, so it is tried a few times; `gc` offers what was made."""
    world.sales(resource=None, deployments=None)
    world.fault(method="POST", path="/files$", cut=cut, count=UPLOADS - 1)
    applied(here(world, *APPLY))
    assert sent(world) == UPLOADS
    assert len(unrecorded(world.dump())) == (UPLOADS - 1 if cut == "after" else 0)
    assert here(world, "gc", "-y").code == 0
    assert unrecorded(world.dump()) == {}
    steady(world, here)


def test_an_answer_that_never_comes(world: World, here: Here) -> None:
    world.sales(resource=None, deployments=None)
    world.fault(method="POST", path="/files$", cut="before", count=UPLOADS)
    ended = here(world, *APPLY)
    assert (ended.code, sent(world)) == (3, UPLOADS), ended
    assert "file.kb/f00.md: failed: uploading f00.md: the connection broke" in ended.text
    applied(here(world, *APPLY))
    steady(world, here)
