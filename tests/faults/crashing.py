"""What the tests of kills share: three commands over known states, and what it means that a kill did no harm."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import full_stack
from tests.support.arena import Arena
from tests.support.live import at_one_address, differing, live_form, versions_for_nothing, without
from tests.support.stage import labels

from .others import foreign_objects, others_make

Json = dict[str, Any]
Written = tuple[Json, dict[str, str]]  # a spec and the files it names
APPLY, DESTROY = ("apply", "-y"), ("destroy", "-y", "--purge")


@dataclass(frozen=True)
class Act:
    """One command over a service in a known state, and what it leaves when nobody disturbs it."""

    command: tuple[str, ...]
    spec: Json
    files: dict[str, str]
    start: sqlite3.Connection
    requests: tuple[str, ...]
    end: Json
    foreign: Json


@dataclass(frozen=True)
class Pair:
    """Two specs of a service that follow each other, each with its files. `home` is where the data plane is."""

    service: str
    home: str
    first: Written
    second: Written


PAIRS = {
    "assistants": Pair(
        "assistants",
        f"/{full_stack.NAME}",
        (full_stack.FIRST, full_stack.FIRST_FILES),
        (full_stack.SECOND, {**full_stack.FIRST_FILES, **full_stack.SECOND_FILES}),
    ),
    "agents": Pair(
        "agents",
        f"/{full_stack.NAME}/api/projects/sales",
        (full_stack.AGENTS_FIRST, full_stack.AGENTS_FIRST_FILES),
        (full_stack.AGENTS_SECOND, {**full_stack.AGENTS_FIRST_FILES, **full_stack.SECOND_FILES}),
    ),
}


def prepare_create(_arena: Arena, pair: Pair) -> Written:
    return pair.first


def prepare_destroy(arena: Arena, pair: Pair) -> Written:
    arena.stage.write(*pair.first)
    arena.must(*APPLY)
    return pair.first


def prepare_update(arena: Arena, pair: Pair) -> Written:
    """The first spec is live, the second is to come, and others have things of the same names in the account."""
    prepare_destroy(arena, pair)
    others_make(arena.stage, pair.service, "returns.md", "sales", "seller", home=pair.home, model="gpt-4o")
    return pair.second


def prepare_another_model(arena: Arena, pair: Pair) -> Written:
    """A deployment cannot change its model, and its name can exist only once."""
    spec, files = prepare_destroy(arena, pair)
    deployment = {**spec["deployments"]["gpt-4o"], "model": {"name": "gpt-4o-mini", "version": "2024-07-18"}}
    return {**spec, "deployments": {"gpt-4o": deployment}}, files


ACTS: dict[str, tuple[Callable[[Arena, Pair], Written], tuple[str, ...]]] = {
    "create": (prepare_create, APPLY),
    "update": (prepare_update, APPLY),
    "another model": (prepare_another_model, APPLY),
    "destroy": (prepare_destroy, DESTROY),
}


def undisturbed(arena: Arena, service: str, name: str, *how: str) -> Act:
    """Play the act once without a kill, and come back to its start."""
    key = " ".join((service, name, *how))
    if key not in arena.known:
        arena.known[key] = _play(arena, service, name, *how)
    act: Act = arena.known[key]
    arena.go_back(act.start)
    arena.stage.write(act.spec, act.files)
    arena.forget()
    return act


def _play(arena: Arena, service: str, name: str, *how: str) -> Act:
    prepare, command = ACTS[name]
    arena.stage.reset()
    spec, files = prepare(arena, PAIRS[service])
    foreign = foreign_objects(arena.stage.dump())
    arena.stage.write(spec, files)
    start = arena.remember()
    arena.stage.look_away()
    arena.must(*command, *how)
    requests = tuple(labels(arena.stage.requests()))
    return Act((*command, *how), spec, files, start, requests, live_form(arena.stage.dump()), foreign)


def check_converged(arena: Arena, act: Act, folder: Path) -> list[str]:
    """Apply again in this folder: the same end as without a kill, and nothing left that is not told of.

    Returns the writing requests of that apply, in short.
    """
    left = arena.orphans(act.foreign)
    check_nothing_twice(arena.stage.dump())
    arena.stage.look_away()
    again = arena.run(*act.command, folder=folder)
    assert again.code == 0, again
    writes = labels(arena.stage.writes())
    told = arena.check_settled(folder) if act.command[0] == "apply" else again
    dump = arena.stage.dump()
    check_nothing_twice(dump)
    others = {ident: item for ident, item in foreign_objects(dump).items() if ident in act.foreign}
    assert others == act.foreign, f"what others have was touched: {others}"
    twins = arena.orphans(act.foreign)
    # On another machine nobody can tell that they are ours, so nobody may use or delete them.
    assert twins == left or (folder == arena.home and twins.keys() <= left.keys()), (twins, left)
    untold = [ident for ident in twins if ident not in told.out]
    assert not untold, f"files that nobody tells of: {untold}\n{told.out}"
    differs = differing(_expected(act, bool(twins)), _end(act, without(dump, twins)))
    assert not differs, f"without a kill | after this one: {differs}"
    return writes


def check_nothing_twice(dump: Json) -> None:
    """No object that another one is already, and no version of an agent that the one before it is already."""
    twice = at_one_address(dump)
    assert not twice, f"two objects are at one address: {twice}"
    again = versions_for_nothing(dump)
    assert not again, f"versions that were made for nothing: {again}"


def _expected(act: Act, in_flight: bool) -> Json:
    """The undisturbed end; the note in the record stays for as long as a file may be left from the killed run."""
    record = [(name, stack, key, in_flight, *rest) for name, stack, key, _, *rest in act.end["record"]]
    return {**act.end, "record": record}


def _end(act: Act, dump: Json) -> Json:
    """What is live now. A file may have been deleted when the record could not be told any more.

    Such an entry means nothing, since ids never return; there can be as many as the command deletes files.
    """
    end = live_form(dump)
    deletes = sum(re.match("DELETE (/v1)?/files/", request) is not None for request in act.requests)
    return {**end, "dead_entries": 0 if end["dead_entries"] <= deletes else end["dead_entries"]}
