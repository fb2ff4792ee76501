"""Live objects -> a spec of them, with the files that it names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from asstops.export import account as accounts
from asstops.export.assistants import Entry
from asstops.export.choice import Choice
from asstops.export.contents import Contents
from asstops.export.live import Live
from asstops.export.report import Exported, Item
from asstops.migrate.emit import flow, scalar, sections
from asstops.migrate.functions import Functions
from asstops.migrate.naming import Keys, looks_secret, stem_for
from asstops.migrate.report import Ledger, Output, listed
from asstops.model import Address, Observed
from asstops.record import id_digest
from asstops.views.text import count, size

if TYPE_CHECKING:
    from asstops.services import Service

SPEC = "asstops.yaml"


def compose(
    live: Live, choice: Choice, *, service: Service, stack: str, source: str, place: accounts.Place | None = None
) -> Exported:
    """Write the spec. `source` says to people where it comes from; `place` is there where a spec with resource: led."""
    ledger = Ledger()
    contents = Contents(live, frozenset(store.remote_id for store in choice.stores), ledger)
    functions, outputs = Functions(ledger, Keys()), list[Output]()
    found: dict[Address, Observed] = {}
    entries: dict[str, Any] = {}
    for entry in _entries(choice, service, contents, functions, ledger, outputs):
        entries[entry.key] = entry.made()
        found[Address("assistant", entry.key)] = entry.live
    for store in choice.stores:
        contents.store(store.remote_id)
    for ident in sorted(choice.files):
        contents.file(ident)
    found |= contents.objects
    parts: dict[str, Mapping[str, Any]] = {}
    deployments: dict[str, Any] = {}
    if place is not None:
        parts["resource"] = accounts.resource(place, ledger)
        known = live.of("deployment")
        deployments = accounts.deployments(choice, known, service.kinds["deployment"], ledger)
        found |= {Address("deployment", item.remote_id): item for item in known if item.remote_id in deployments}
        found |= {Address(item.kind, item.remote_id): item for item in (place.account, place.project) if item}
    for item in choice.odd:
        ledger.lost(f"({item.remote_id})", "", f"{item.problems['kind']}, which no spec can say; it is left out")
    text = _head(source) + f"stack: {scalar(stack)}\nservice: {scalar(service.name)}\n"
    top = sections({**parts, "deployments": deployments})
    rest = sections(
        {"vector_stores": _sorted(contents.stores), "tools": _sorted(functions.section), "assistants": _sorted(entries)}
    )
    blocks = [text, top, _files(contents), rest]
    return Exported(
        stack=stack,
        service=service.name,
        source=source,
        outputs=(Output(SPEC, "\n".join(block for block in blocks if block)), *outputs, *functions.outputs),
        items=tuple(_items(found, contents, deployments, parts.get("resource", {}))),
        entries=ledger.entries(),
        notices=tuple(_notices(live, choice, contents)),
    )


def _entries(
    choice: Choice,
    service: Service,
    contents: Contents,
    functions: Functions,
    ledger: Ledger,
    outputs: list[Output],
) -> list[Entry]:
    """One for each assistant; where the name is the identity it is the key, or there is none."""
    kind = service.kinds["assistant"]
    keys, stems, made = Keys(), Keys(), list[Entry]()
    order = sorted(choice.assistants, key=lambda item: item.remote_id) if kind.rules.named else choice.assistants
    for item in order:
        if kind.rules.named:
            key = item.remote_id
            if not re.fullmatch(kind.key_pattern, key):
                ledger.lost(f"({key[:80]})", "", f"its name can be no key of a spec: {kind.key_rule}; it is left out")
                continue
        else:
            name = item.body.get("name")
            key = keys.take(name if isinstance(name, str) else "", f"assistant-{item.remote_id[-8:]}")
        stem = stem_for(stems.keep(key))
        unsaid = service.unsaid(item)
        made.append(Entry(key, stem, item, unsaid, kind.rules.named, contents, functions, ledger, outputs))
    return made


def _items(
    found: Mapping[Address, Observed], contents: Contents, deployments: Mapping[str, Any], resource: Mapping[str, Any]
) -> list[Item]:
    said: dict[str, Mapping[str, Any]] = {
        "file": contents.files,
        "vector_store": contents.stores,
        "deployment": deployments,
        "resource": {str(resource.get("name")): resource},
        "project": {str((resource.get("project") or {}).get("name")): resource.get("project") or {}},
    }

    def owned(address: Address) -> bool:
        entry = said.get(address.kind, {}).get(address.key, {})
        return "id" not in entry and entry.get("managed", True) is not False

    return [Item(address, item, owned(address)) for address, item in sorted(found.items())]


def _sorted(section: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(section.items()))


def _head(source: str) -> str:
    return (
        f"# Made by asstops export from {_printable(source)}\n#\n"
        "# Nothing of it is the stack's own before it is adopted: docs/adopt.md says how.\n\n"
    )


_FILES = """\
files:
  # What was uploaded cannot be read back, so these are referred to by id, and never written or deleted. To own one,
  # put its content under its own name into this folder, write path: in the place of id:, and adopt it:
  # asstops adopt file.KEY ID --trust-content
"""


def _files(contents: Contents) -> str:
    """The section `files:`, with the name and the size of each beside it."""
    if not contents.files:
        return ""
    lines = []
    for key, entry in _sorted(contents.files).items():
        body = contents.objects[Address("file", key)].body
        name = str(body.get("name") or "")
        told = [_printable(name)[:200]] if name and not looks_secret(name) else []
        if isinstance(body.get("size_bytes"), int):
            told.append(size(body["size_bytes"]))
        lines.append(f"  {scalar(key)}: {flow(entry)}{'  # ' if told else ''}{', '.join(told)}\n")
    return _FILES + "".join(lines)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _notices(live: Live, choice: Choice, contents: Contents) -> list[str]:
    """What was left out because it is somebody's, or nobody's concern."""
    told: list[str] = []
    by_stack: dict[str, list[str]] = {}
    for item in choice.left:
        if item.mark is not None:
            by_stack.setdefault(item.mark.stack, []).append(f"{item.kind}.{item.remote_id}")
    for stack, names in sorted(by_stack.items()):
        belong, are = ("belongs", "is") if len(names) == 1 else ("belong", "are")
        told.append(
            f"{count(len(names), 'object')} {belong} to the stack {stack} and {are} left out: {listed(names)}; one "
            "that is named by its ID comes along all the same"
        )
    for address, item in sorted(contents.objects.items()):
        if ("vector_store", item.remote_id) in choice.referred and item.mark is not None:
            told.append(f"{address} belongs to the stack {item.mark.stack}, so the spec only refers to it")
    if choice.everything:
        used = {item.remote_id for address, item in contents.objects.items() if address.kind == "file"}
        idle = [
            f"{item.name[:80]} ({item.remote_id})"
            for item in live.of("file")
            if item.remote_id not in used and id_digest(item.remote_id) not in live.foreign
        ]
        if idle:
            told.append(
                f"{count(len(idle), 'file')} that nothing here uses {'is' if len(idle) == 1 else 'are'} left out: "
                f"{listed(idle)}"
            )
    return told
