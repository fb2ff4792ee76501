"""What was read from a service, or from an export of it -> a new spec with everything it names. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from asstops.migrate.assistants import Translation
from asstops.migrate.contents import Contents, is_record
from asstops.migrate.emit import scalar, sections
from asstops.migrate.exported import Exported, used_by
from asstops.migrate.functions import Functions
from asstops.migrate.naming import Keys
from asstops.migrate.report import Ledger, Output, Report
from asstops.migrate.stack_name import for_what_was_read
from asstops.migrate.texts import after_apply

SPEC = "asstops.yaml"


@dataclass(frozen=True, slots=True)
class Migration:
    """Everything to write, the spec first, and the report."""

    outputs: tuple[Output, ...]
    report: Report


def from_exported(
    exported: Exported, *, stack: str = "", source: str, chosen: Collection[str] = (), folder: str = ""
) -> Migration:
    """Write a spec of what was read; of all assistants, or of the `chosen` ids and what they use.

    `stack` is the name of the new stack, "" for a default. Raises UsageError for one that owns some of what was read.
    `source` and `folder` are for people: where it comes from, and where the spec goes.
    """
    ledger = Ledger()
    stack = for_what_was_read(exported, stack)
    contents, functions = Contents(exported, ledger), Functions(ledger, Keys())
    keys, outputs = Keys(), list[Output]()
    entries: dict[str, Any] = {}
    items = [(ident, item) for ident, item in exported.assistants.items() if not chosen or ident in chosen]
    for ident, item in items:
        name = item.get("name")
        key = keys.take(name if isinstance(name, str) else "", f"assistant-{ident[-8:]}")
        translation = Translation(key, item, contents, functions, ledger, outputs)
        entries[key] = translation.entry()
        _marked(item, translation.address, ledger)
    _rest(exported, contents, ledger, everything=not chosen)
    for ident in exported.masked:
        told = "a secret of this environment or of the spec stood in it and is masked in the new spec"
        ledger.lost(f"({ident[:80]})", "", told, "write ${NAME} there, a variable that is sensitive")
    for where, told in exported.odd:
        ledger.lost(f"({where})", "", f"it {told}, and is left out")
    for where, ident in exported.twice:
        ledger.lost(f"({where})", "", f"a second, different {ident} is left out", "keep the newer export")
    for where in exported.partial:
        ledger.lost(f"({where})", "", "the list says itself that there is more", "export the further pages as well")
    text = _head(source) + f"stack: {scalar(stack)}\nservice: agents\n"
    text += "\n" + sections(
        {
            "files": contents.files,
            "vector_stores": contents.stores,
            "tools": functions.section,
            "assistants": entries,
        }
    )
    report = Report(
        source=source,
        stack=stack,
        entries=ledger.entries(),
        missing=tuple(contents.missing),
        steps=after_apply(folder, bool(contents.missing)),
    )
    return Migration((Output(SPEC, text), *outputs, *functions.outputs), report)


def _head(source: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in source)
    return (
        f"# Made by asstops migrate from {shown}\n#\n"
        "# Without resource: it goes to the project that FOUNDRY_PROJECT_ENDPOINT names; without deployments: any\n"
        "# model is taken for a deployment that is there. docs/spec.md has both.\n\n"
    )


def _marked(item: Any, address: str, ledger: Ledger) -> None:
    mark = item.get("metadata", {}).get("asstops") if isinstance(item.get("metadata"), dict) else None
    parts = mark.split(" ") if isinstance(mark, str) else []
    if len(parts) > 2:
        told = f"the old assistant belongs to the stack {parts[1][:80]}, whose spec can be migrated itself"
        ledger.changed(address, "metadata.asstops", told, "if you have that spec: asstops migrate -f SPEC")


def _rest(exported: Exported, contents: Contents, ledger: Ledger, *, everything: bool) -> None:
    """Stores that no assistant searches come along; files that nothing uses are told of."""
    if not everything:
        return
    for ident, store in exported.stores.items():
        if not is_record(store):
            contents.store(ident)
    used = {file for item in exported.assistants.values() for file in used_by(item)[1]}
    used |= {file for files in exported.store_files.values() for file in files}
    for ident, item in exported.files.items():
        if ident not in used:
            told = f"{str(item.get('filename'))[:200]!r} is used by no assistant and no vector store, and is left out"
            ledger.lost(f"({ident[:80]})", "", told, "add it under files: if something is to use it")
