"""What the tests of kills share: three commands over known states, and what it means that a kill did no harm."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import full_stack
from tests.support.arena import Arena
from tests.support.live import at_one_address, differing, live_form, without
from tests.support.stage import labels

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


def prepare_create(_arena: Arena) -> Written:
    return full_stack.FIRST, full_stack.FIRST_FILES


def prepare_destroy(arena: Arena) -> Written:
    arena.stage.write(*prepare_create(arena))
    arena.must(*APPLY)
    return prepare_create(arena)


def prepare_update(arena: Arena) -> Written:
    """The first spec is live, the second is to come, and others have things of the same names in the account."""
    prepare_destroy(arena)
    account = full_stack.NAME
    file = arena.stage.upload("returns.md", b"what others say of returns\n", account=account)
    store = arena.stage.data("POST", "/vector_stores", {"name": "sales", "file_ids": [file["id"]]}, account=account)
    while arena.stage.data("GET", f"/vector_stores/{store['id']}", account=account)["status"] != "completed":
        time.sleep(0.01)
    arena.stage.data("POST", "/assistants", {"name": "seller", "model": "gpt-4o"}, account=account)
    return full_stack.SECOND, {**full_stack.FIRST_FILES, **full_stack.SECOND_FILES}


def prepare_another_model(arena: Arena) -> Written:
    """A deployment cannot change its model, and its name can exist only once."""
    spec, files = prepare_destroy(arena)
    deployment = {**spec["deployments"]["gpt-4o"], "model": {"name": "gpt-4o-mini", "version": "2024-07-18"}}
    return {**spec, "deployments": {"gpt-4o": deployment}}, files


ACTS: dict[str, tuple[Callable[[Arena], Written], tuple[str, ...]]] = {
    "create": (prepare_create, APPLY),
    "update": (prepare_update, APPLY),
    "another model": (prepare_another_model, APPLY),
    "destroy": (prepare_destroy, DESTROY),
}


def undisturbed(arena: Arena, name: str, *how: str) -> Act:
    """Play the act once without a kill, and come back to its start."""
    key = " ".join((name, *how))
    if key not in arena.known:
        arena.known[key] = _play(arena, name, *how)
    act: Act = arena.known[key]
    arena.go_back(act.start)
    arena.stage.write(act.spec, act.files)
    arena.forget()
    return act


def _play(arena: Arena, name: str, *how: str) -> Act:
    prepare, command = ACTS[name]
    arena.stage.reset()
    spec, files = prepare(arena)
    foreign = foreign_objects(arena.stage.dump())
    arena.stage.write(spec, files)
    start = arena.remember()
    arena.stage.look_away()
    arena.must(*command, *how)
    requests = tuple(labels(arena.stage.requests()))
    return Act((*command, *how), spec, files, start, requests, live_form(arena.stage.dump()), foreign)


def foreign_objects(dump: Json) -> Json:
    """Id -> everything that is known of the objects that asstops did not make."""
    found = {item["id"]: item for kind in ("assistants", "vector_stores") for item in dump[kind]
             if "asstops" not in (item["metadata"] or {})}  # fmt: skip
    used = {file["id"] for store in found.values() for file in store.get("files", [])}
    return {**found, **{file["id"]: file for file in dump["files"] if file["id"] in used}}


def check_converged(arena: Arena, act: Act, folder: Path) -> list[str]:
    """Apply again in this folder: the same end as without a kill, and nothing left that is not told of.

    Returns the writing requests of that apply, in short.
    """
    left = arena.orphans(act.foreign)
    twice = at_one_address(arena.stage.dump())
    assert not twice, f"right after the kill two objects are at one address: {twice}"
    arena.stage.look_away()
    again = arena.run(*act.command, folder=folder)
    assert again.code == 0, again
    writes = labels(arena.stage.writes())
    told = arena.check_settled(folder) if act.command[0] == "apply" else again
    dump = arena.stage.dump()
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


def _expected(act: Act, in_flight: bool) -> Json:
    """The undisturbed end; the note in the record stays for as long as a file may be left from the killed run."""
    record = [(name, stack, key, in_flight, *rest) for name, stack, key, _, *rest in act.end["record"]]
    return {**act.end, "record": record}


def _end(act: Act, dump: Json) -> Json:
    """What is live now. A file may have been deleted when the record could not be told any more.

    Such an entry means nothing, since ids never return; there can be as many as the command deletes files.
    """
    end = live_form(dump)
    deletes = sum(request.startswith("DELETE /files/") for request in act.requests)
    return {**end, "dead_entries": 0 if end["dead_entries"] <= deletes else end["dead_entries"]}
