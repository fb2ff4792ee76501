"""Every cell of the table of faults: the end state, that nothing is there twice, the exit code, and what is told.

What ends as if nothing had happened is tested for all kinds in one run, each struck at its own request; what does not
is tested on its own.
"""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from asstops.emulator import EmulatorServer
from asstops.services import NAMES, by_name
from tests.support.stage import emulator

from .conftest import World
from .scene import SECTIONS, Here, Moments, Scene
from .table import (
    EARLY,
    ELSEWHERE,
    EXPIRED,
    FAILED,
    FAULTS,
    GOOD,
    LAG,
    LOST,
    OPERATIONS,
    RECORD,
    SERVICES,
    THROTTLED,
    Fault,
    Outcome,
    Where,
    cells,
    is_alone,
    is_sent_once,
)

ONE_AT_A_TIME = ("--parallelism", "1")
SERIAL = [*FAILED, EXPIRED, *LOST]
FASTER_S = 0.01


def where_of(service: str, kind: str, operation: str, fault: Fault) -> Where:
    """The request that a fault of a cell strikes."""
    found = SERVICES[service].early[kind] if fault is EARLY else SERVICES[service].requests[kind][operation]
    assert isinstance(found, Where)
    return found


def runs() -> Iterator[Any]:
    """(service, operation, faults, kind -> outcome): cells that can be tested in one run stand together.

    Kinds of one run are struck each at its own request, one fault after the other at the same request.
    """
    rows: dict[tuple[str, str], dict[str, dict[str, Outcome]]] = {}
    for service, kind, operation, fault, found in cells():
        if isinstance(found, Outcome):
            alone = is_alone(service, kind, operation, found)
            name = f"{operation} {kind}" if alone else operation
            rows.setdefault((service, name), {}).setdefault(fault.name, {})[kind] = found
    for (service, name), row in rows.items():
        operation, _, kind = name.partition(" ")
        once = operation == "create" or is_sent_once(service, kind, operation)
        for series in _series(row, operation, once):
            title = f"{service}: {name}, {' + '.join(fault.name for fault in series)}"
            yield pytest.param(service, operation, series, row[series[0].name], id=title)


def _series(row: dict[str, dict[str, Outcome]], operation: str, once: bool) -> Iterator[tuple[Fault, ...]]:
    """The faults that strike a request one after the other, where it may be sent again at will.

    Not more than four at a time, which is what is overcome. What was deleted by the first is not there for the next.
    """
    faults = [fault for fault in FAULTS if fault.name in row]
    throttled = [fault for fault in faults if fault in THROTTLED]
    deletes = operation in ("delete", "prune")
    serial = [
        fault
        for fault in faults
        if fault in SERIAL and not once and set(row[fault.name].values()) <= set(GOOD)
        and not (deletes and fault.commits)
    ]  # fmt: skip
    rest = [fault for fault in faults if fault not in throttled and fault not in serial]
    alike = [list(same) for _, same in itertools.groupby(serial, key=lambda fault: row[fault.name])]
    chunks = [same[at : at + 4] for same in alike for at in range(0, len(same), 4)]
    yield from (tuple(each) for each in (throttled, *chunks) if each)
    yield from ((fault,) for fault in rest)


RUNS = list(runs())


class Impatience:
    """Which requests are given up on: method, path, and which one of them. Others have all the time they need."""

    timeout_s = 0.5

    def __init__(self) -> None:
        self._rules: list[list[Any]] = []

    def add(self, method: str, path: str, nth: int) -> None:
        self._rules.append([method, path, nth])

    def applies(self, method: str, path: str) -> bool:
        """Count a request, and say whether it is one of them."""
        found = False
        for rule in self._rules:
            if method == rule[0] and re.search(rule[1], path):
                rule[2] -= 1
                found = found or rule[2] == 0
        return found


@pytest.fixture(scope="module")
def instant_server() -> Iterator[EmulatorServer]:
    with emulator() as server:
        yield server


@pytest.fixture(scope="module")
def moments() -> Iterator[Moments]:
    found = Moments()
    yield found
    found.close()


@pytest.fixture
def stage(instant_server: EmulatorServer, tmp_path: Any) -> Iterator[World]:
    found = World(instant_server, tmp_path)
    yield found
    found.http.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long everybody was to wait, in seconds; the waiting itself is cut short."""
    from asstops.providers.limiter import Limiter

    asked: list[float] = []
    pause, wait = Limiter.pause, Limiter.wait

    def shorter_pause(self: Limiter, seconds: float) -> None:
        asked.append(seconds)
        pause(self, min(seconds, FASTER_S))

    monkeypatch.setattr(Limiter, "pause", shorter_pause)
    monkeypatch.setattr(Limiter, "wait", lambda self, extra_s=0.0: wait(self, min(extra_s, FASTER_S)))
    return asked


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Impatience:
    """Say of which requests we give up soon on the answer."""
    from asstops.providers import azure_pipeline, trace

    found = Impatience()
    hooks, policy = trace.http_hooks, azure_pipeline.trace_policy

    def shorter_hooks() -> dict[str, list[Any]]:
        def on_request(request: Any) -> None:
            if found.applies(request.method, request.url.path):
                request.extensions["timeout"]["read"] = found.timeout_s

        return {**hooks(), "request": [*hooks()["request"], on_request]}

    def shorter_policy(asked: str) -> Any:
        made = policy(asked)
        on_request = made.on_request

        def shorter(request: Any) -> None:
            on_request(request)
            sent = request.http_request
            if found.applies(sent.method, urlsplit(sent.url).path):
                request.context.options["read_timeout"] = found.timeout_s

        made.on_request = shorter
        return made

    monkeypatch.setattr(trace, "http_hooks", shorter_hooks)
    monkeypatch.setattr(azure_pipeline, "trace_policy", shorter_policy)
    return found


# The table itself


def test_the_table_knows_every_kind() -> None:
    """A kind that is added to asstops has to be added to the table."""
    assert set(SERVICES) == set(NAMES)
    for name, service in SERVICES.items():
        assert set(service.requests) == set(by_name(name).kinds) | {RECORD}
        assert set(service.needs) == set(service.early) == set(service.requests)
        assert all(set(asked) == set(OPERATIONS) for asked in service.requests.values())


def test_no_cell_is_empty() -> None:
    """Each is either tested here, or has its reason; where that is a test elsewhere, there is such a test."""
    tested = {
        (service, kind, operation, fault.name)
        for service, operation, faults, outcomes in (param.values for param in RUNS)
        for fault in faults
        for kind in outcomes
    }
    seen = set()
    for service, kind, operation, fault, found in cells():
        seen.add((service, kind, operation, fault.name))
        if isinstance(found, Outcome):
            assert (service, kind, operation, fault.name) in tested
        elif found.startswith(ELSEWHERE):
            module, _, name = found.removeprefix(ELSEWHERE).partition(":")
            assert callable(getattr(importlib.import_module(f"tests.faults.{module}"), name))
        else:
            assert len(found.split()) >= 4, found
    assert len(seen) == sum(len(s.requests) for s in SERVICES.values()) * len(OPERATIONS) * len(FAULTS)
    assert tested <= seen


def test_the_reasons_are_few_and_the_tests_are_many() -> None:
    """So that nobody empties the table by giving a reason for everything."""
    outcomes = [found for *_, found in cells()]
    assert sum(isinstance(found, Outcome) for found in outcomes) >= 1000
    assert len({found for found in outcomes if isinstance(found, str) and not found.startswith(ELSEWHERE)}) <= 28


# Its cells


@pytest.mark.parametrize(("service", "operation", "faults", "outcomes"), RUNS)
def test_cell(
    stage: World,
    here: Here,
    moments: Moments,
    pauses: list[float],
    impatient: Impatience,
    service: str,
    operation: str,
    faults: tuple[Fault, ...],
    outcomes: dict[str, Outcome],
) -> None:
    scene = Scene(stage, here, moments, service, operation)
    if any(where_of(service, kind, operation, faults[0]).alone for kind in outcomes):
        scene.command += ONE_AT_A_TIME  # others of the kind come in the same order each time
    for kind, (number, fault) in itertools.product(outcomes, enumerate(faults)):
        where = where_of(service, kind, operation, fault)
        if fault is LAG:  # nothing is listed unless the answer is lost too
            stage.fault(method=where.method, path=where.path, nth=where.nth, cut="after")
            listing = SERVICES[service].requests["vector_store" if kind == RECORD else kind]["read"]
            assert isinstance(listing, Where)
            where = listing
        path = scene.strike(where, fault)
        if "hang_s" in fault.does:
            impatient.add(where.method, path, where.nth + number)
    pauses.clear()
    ended = scene.run(*scene.command)
    assert all(scene.struck()), f"not struck: {scene.struck()}"
    scene.check_single()
    check_sent(scene, service, operation, faults, outcomes)
    for least, most in filter(None, (fault.pause_s for fault in faults)):
        assert len([each for each in pauses if least <= each <= most]) >= len(outcomes), pauses
    if set(outcomes.values()) <= set(GOOD):
        assert ended.code == 0, ended
        check_undisturbed(scene, twins=sum(found is Outcome.TWIN for found in outcomes.values()))
        return
    ((kind, outcome),) = outcomes.items()
    check_told(scene, ended.code, ended.text, operation, faults[0], outcome)
    check_partial(scene, service, kind, operation)
    scene.check_converges()


def check_undisturbed(scene: Scene, twins: int) -> None:
    """Everything is as without the fault, but for files that were uploaded twice; those are told of, not taken away."""
    form, lost = scene.form(), scene.lost_files()
    assert len(lost) == twins
    if not twins:
        assert form == scene.after
        scene.check_settled()
        return
    left_out = ("files", "record")  # the record keeps its note of an upload whose fate is not known
    assert {k: v for k, v in form.items() if k not in left_out} == {
        k: v for k, v in scene.after.items() if k not in left_out
    }
    assert len(form["files"]) == len(scene.after["files"]) + twins
    told = scene.check_settled()
    assert all(ident in told.text for ident in lost), told


def check_sent(
    scene: Scene, service: str, operation: str, faults: tuple[Fault, ...], outcomes: dict[str, Outcome]
) -> None:
    """A create is sent once, unless the service said that it did not take it. The SDK sends nothing again by itself.

    So is an update that makes a version.
    """
    fault = faults[0]
    refused = fault in THROTTLED or fault is EXPIRED or fault is EARLY
    for kind, doing in SERVICES[service].looked_up:
        if doing != operation or kind not in outcomes or RECORD in outcomes or fault.for_ever:
            continue
        where = SERVICES[service].requests[kind][doing]
        assert isinstance(where, Where)
        sent = [entry for entry in scene.world.requests("POST") if re.search(where.path, entry["path"])]
        again = sum("fault" in entry for entry in sent) if refused else 0
        assert len(sent) == where.nth + again, [(entry["path"], entry["status"]) for entry in sent]
    uploads = [entry for entry in scene.world.requests("POST") if entry["path"].endswith("/files")]
    if operation == "create" and "file" in outcomes and (fault in FAILED or fault in LOST):
        assert len(uploads) == 2  # the lost one, and one more


def check_told(scene: Scene, code: int, text: str, operation: str, fault: Fault, outcome: Outcome) -> None:
    """What failed, why and what helps; and whether anything may have been written."""
    if operation == "read":
        assert code == 1
    else:
        touched = [
            entry
            for entry in scene.world.writes()
            if "cut" in entry or (entry["status"] or 0) >= 500 or (entry["status"] or 999) < 300
        ]
        assert code == (3 if touched else 1), text
        verb = {"update": "updated", "prune": "updated", "look": "updated", "delete": "deleted"}.get(
            operation, "created"
        )
        assert f"could not be {verb}" in text or "record of files could not be written" in text
    if outcome is Outcome.UNKNOWN:
        assert re.search("whether (it|the version) was made is unknown", text)
        assert "plan again in a moment" in text
        return
    assert fault.says in text
    assert fault.helps in text
    assert "Traceback" not in text
    assert "unexpected" not in text


def check_partial(scene: Scene, service: str, kind: str, operation: str) -> None:
    """What needs the one that failed is as it was before; in a new stack all else is there."""
    form, needs, sections = scene.form(), SERVICES[service].needs[kind], SECTIONS[service]
    if operation == "read":
        assert form == scene.before
    elif operation == "delete":
        assert form["accounts"] == scene.before["accounts"]
        if kind in sections:  # some of it may have gone with what it used
            assert len(form[sections[kind]]) == len(scene.before[sections[kind]])
    elif operation == "prune":  # the new version is there, and so are the old ones
        assert [item["versions"][1:] for item in form[sections[kind]]] == [
            item["versions"] for item in scene.after[sections[kind]]
        ]
    else:
        for other in needs:
            if other in sections:
                assert form[sections[other]] == scene.before[sections[other]], other
        if operation in ("create", "attach"):
            for other in set(sections) - set(needs) - {kind}:
                assert form[sections[other]] == scene.after[sections[other]], other
