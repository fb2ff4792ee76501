"""A spec for assistants -> the same spec for agents, as changes to its text: comments, order and layout stay. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from asstops.migrate.account import Account
from asstops.migrate.edits import Edited
from asstops.migrate.naming import Keys
from asstops.migrate.report import Ledger, Report
from asstops.migrate.stack_name import rename
from asstops.migrate.texts import after_edit
from asstops.spec.spans import Spot

MAX_PAIRS = 15
_SECTIONS = {"files": "file", "vector_stores": "vector_store", "tools": "tools", "deployments": "deployment"}
_ELSEWHERE = "it is an object of the old account, which a project does not show"


@dataclass(frozen=True, slots=True)
class SpecText:
    """One file of a spec. `over` is the base that it is an overlay of, by position among all, -1 for a base."""

    shown: str
    text: str
    over: int = -1


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The new text of each file, in the order given, and the report."""

    texts: tuple[str, ...]
    report: Report


def is_for_agents(files: Sequence[SpecText]) -> bool:
    """True where the spec says `service: agents` and nothing else, or nothing at all, which means the same."""
    said = {spot.text for file in files for _, _, spot in _of([Edited(file.shown, file.text)], "service")}
    return said <= {"agents"}


def rewrite(
    files: Sequence[SpecText], *, resource: str = "", project: str = "", stack: str = "", spec: str = "", old: str = ""
) -> Rewritten:
    """Bring a spec over. `resource`, `project` and `stack` are names for the new ones, "" for a default.

    `spec` and `old` say to people how the new spec is named on a command line, and where the old one is. Raises
    UsageError for a name of the stack that would make it one with the old one.
    """
    edited = [Edited(file.shown, file.text) for file in files]
    bases = [item for item, file in zip(edited, files, strict=True) if file.over < 0]
    overlays = [item for item, file in zip(edited, files, strict=True) if file.over >= 0]
    ledger = Ledger()
    _service(bases, overlays, ledger)
    before = next((spot.text for _, _, spot in _of([*bases, *overlays], "stack")), "")
    account = Account(ledger, resource, project or stack or before)
    has_account = account.bring(bases, overlays)
    stack = rename(bases, overlays, ledger, given=stack, shared=account.shared)
    _sections(edited, ledger)
    _assistants(bases, overlays, ledger)
    _moved(edited, ledger)
    report = Report(source=", ".join(file.shown for file in files), stack=stack, entries=ledger.entries())
    steps = after_edit(spec, old, account=has_account, stays=account.stays, environments=_environments(files))
    report = Report(report.source, stack, report.entries, steps=steps)
    return Rewritten(tuple(item.result() for item in edited), report)


def _environments(files: Sequence[SpecText]) -> list[str]:
    """The names of the environments that the overlays are for."""
    over = [(file, files[file.over]) for file in files if file.over >= 0]
    names = (PurePath(file.shown).stem.removeprefix(f"{PurePath(base.shown).stem}.") for file, base in over)
    return sorted(set(names))


def _of(files: Sequence[Edited], section: str) -> Iterator[tuple[Edited, Spot, Spot]]:
    """Every document that has a top-level key, with its file and what stands there."""
    for item in files:
        for root in item.documents:
            found = root.at(section)
            if found is not None:
                yield item, root, found


def _service(bases: Sequence[Edited], overlays: Sequence[Edited], ledger: Ledger) -> None:
    met = list(_of([*bases, *overlays], "service"))
    for item, _, spot in met:
        if spot.text == "assistants":
            item.set(spot, "agents")
            ledger.changed("stack", "service", "assistants is agents now", at=item.at(spot))
        elif spot.text != "agents":
            ledger.lost("stack", "service", f"it is {spot.text[:80]!r}", "write service: agents", item.at(spot))


def _sections(files: Sequence[Edited], ledger: Ledger) -> None:
    """Everything that both services share; what names an object of the old account cannot come along."""
    for section, kind in _SECTIONS.items():
        for item, _, found in _of(files, section):
            for key, entry in (found.entries or {}).items():
                address = f"{kind}.{key}"
                ledger.kept(address, *(field for field in entry.entries or {} if field != "id"))
                if (ident := entry.at("id")) is not None and ident.text:
                    if kind == "file":
                        fix = "upload it to the project and write its new id, or write path: instead"
                    else:
                        fix = "write the id of a store of the project, or files: to have one made"
                    ledger.lost(address, "id", _ELSEWHERE, fix, item.at(ident))
    for section in ("vars", "lock", "origin"):
        for _ in _of(files, section):
            ledger.kept("stack", section)


def _assistants(bases: Sequence[Edited], overlays: Sequence[Edited], ledger: Ledger) -> None:
    names = _names([*bases, *overlays], ledger)
    for item, _, found in _of([*bases, *overlays], "assistants"):
        for key, entry in (found.entries or {}).items():
            address = f"assistant.{names[key]}"
            fields = entry.entries or {}
            ledger.kept(address, *(field for field in fields if field not in ("name", "tools")))
            if (name := entry.at("name")) is not None and name.text:
                told = f"an agent's name is its key, {names[key]}; this one is kept as metadata display_name"
                ledger.changed(address, "name", told, at=item.at(name))
            if entry.at("tools") is not None:
                _tools(item, entry, address, ledger)
    _metadata(bases, overlays, names, ledger)


def _moved(files: Sequence[Edited], ledger: Ledger) -> None:
    """Take out the moves of assistants: agents are made anew, and cannot move."""
    for item, root, found in _of(files, "moved"):
        entries = found.items or []
        gone = [
            index
            for index, entry in enumerate(entries)
            if any((at := entry.at(name)) is not None and at.text.startswith("assistant.") for name in ("from", "to"))
        ]
        if gone:
            told = "the moves of assistants are taken out: agents are made anew, under the names they have"
            ledger.changed("stack", "moved", told, at=item.at(entries[gone[0]]))
            item.remove_items(root, "moved", gone)
        if len(gone) < len(entries):
            ledger.kept("stack", "moved")


def _names(files: Sequence[Edited], ledger: Ledger) -> dict[str, str]:
    """The new key of each assistant: an agent's name, and Azure may not tell names apart by case."""
    keys, names = Keys(), dict[str, str]()
    for item, _, found in _of(files, "assistants"):
        for key in found.entries or {}:
            if key not in names:
                names[key] = keys.keep(key)
                if names[key] != key:
                    told = f"{key} is {names[key]} now: agents' names are told apart by more than their case"
                    ledger.changed(f"assistant.{names[key]}", "", told, at=item.at(found.keys[key]))
            if names[key] != key:
                item.set(found.keys[key], names[key])
    return names


def _tools(item: Edited, entry: Spot, address: str, ledger: Ledger) -> None:
    """Take out a file search that has no vector store; an agent's cannot do without."""
    gone = []
    for index, tool in enumerate(entry.entries["tools"].items or [] if entry.entries else []):
        kind = next(iter(tool.entries), "") if tool.entries is not None else tool.text
        store = tool.at("file_search", "vector_store")
        if kind == "file_search" and (store is None or not store.text or _is_null(store)):
            gone.append(index)
            ledger.lost(
                address,
                "tools.file_search",
                "it searches no vector store, and an agent's must; it is taken out",
                "define a store under vector_stores:, then add file_search: {vector_store: KEY}",
                item.at(tool),
            )
        elif kind == "function" and (function := tool.at("function")) is not None:
            ledger.kept(address, f"tools.function {function.text}")
        elif kind:
            ledger.kept(address, f"tools.{kind}")
    item.remove_items(entry, "tools", gone)


def _is_null(spot: Spot) -> bool:
    return not spot.style and spot.text in ("~", "null", "Null", "NULL")


def _metadata(bases: Sequence[Edited], overlays: Sequence[Edited], names: dict[str, str], ledger: Ledger) -> None:
    """An agent's version has one pair less where it has a name, and `display_name` is taken then."""
    for over in [None, *overlays]:
        files = [*bases, *([over] if over is not None else [])]
        pairs: dict[str, dict[str, tuple[Edited, Spot]]] = {}
        named: set[str] = set()
        for item, _, found in _of(files, "assistants"):
            for key, entry in (found.entries or {}).items():
                if (name := entry.at("name")) is not None and name.text and not _is_null(name):
                    named.add(key)
                metadata = entry.at("metadata")
                for pair, value in ((metadata.entries or {}) if metadata is not None else {}).items():
                    assert metadata is not None
                    pairs.setdefault(key, {})[pair] = (item, metadata.keys[pair])
                    if _is_null(value):
                        del pairs[key][pair]
        for key, met in pairs.items():
            address = f"assistant.{names[key]}"
            most = MAX_PAIRS - 1 if key in named else MAX_PAIRS
            if len(met) > most:
                told = f"it has {len(met)} pairs, at most {most} are left beside asstops's own and the name"
                item, spot = list(met.values())[most]
                ledger.lost(address, "metadata", told, "take some out of the new spec", item.at(spot))
            if key in named and "display_name" in met:
                item, spot = met["display_name"]
                told, fix = "name: is kept as display_name, which stands here too", "take one of the two out"
                ledger.lost(address, "metadata.display_name", told, fix, item.at(spot))


def has_variable(text: str) -> bool:
    """True for text that a variable of the spec goes into."""
    return re.search(r"(?<!\$)\$\{", text) is not None
