"""-v: each request in a line on stderr, and nothing that must not be seen."""

from __future__ import annotations

import re
from collections.abc import Callable

from .conftest import Ended, World

Here = Callable[..., Ended]
LINE = re.compile(r"(GET|PUT|POST|PATCH|DELETE) (/\S*) (\d{3}) \d+ ms (\S+)")


def lines(ended: Ended) -> list[str]:
    return [line for line in ended.err.splitlines() if re.match(r"[A-Z]+ /", line)]


def test_each_request_is_a_line(world: World) -> None:
    """As many as the emulator got, in both planes, polls included; none on stdout."""
    world.sales()
    ended = world.run("apply", "-y", "-v")
    assert ended.code == 0, ended
    found = [LINE.fullmatch(line) for line in lines(ended)]
    assert all(found)
    sent = sorted((entry["method"], entry["path"], str(entry["status"])) for entry in world.requests())
    assert sorted(match.groups()[:3] for match in found if match) == sent
    assert lines(Ended(0, "", ended.out)) == []


def test_no_header_body_or_query_is_shown(world: World, here: Here) -> None:
    world.sales(assistants={"bot": {"model": "gpt-4o", "instructions": "do not tell"}}, resource=None, deployments=None)
    key = world.environment["AZURE_OPENAI_API_KEY"]
    ended = here(world, "-v", "apply", "-y")
    assert ended.code == 0
    assert lines(ended)
    for secret in (key, "Bearer", "api-key", "api-version", "do not tell"):
        assert secret not in ended.err


def test_a_request_without_an_answer_is_a_line_too(world: World, here: Here) -> None:
    world.sales()
    world.fault(method="GET", path="/accounts/contoso$", cut="before")
    world.fault(status=503, method="PUT", path="/accounts/contoso$")
    world.fault(method="POST", path="/file_batches$", cut="before")
    ended = here(world, "-v", "apply", "-y")
    assert ended.code == 0, ended
    assert len([line for line in lines(ended) if re.search(r"no answer \(\w+\)$", line)]) == 2
    assert len([line for line in lines(ended) if re.search(r"^PUT \S+/contoso 503 ", line)]) == 1


def test_without_it_nothing_is_said(world: World, here: Here) -> None:
    world.sales()
    assert lines(here(world, "plan")) == []
