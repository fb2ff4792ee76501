"""What a service was asked, or what was exported from it: raw objects, sorted by what they are. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from asstops.errors import NotFound
from asstops.migrate.report import listed

Json = Mapping[str, Any]
_BY_OBJECT = {
    "assistant": "assistant",
    "vector_store": "store",
    "vector_store.file": "store_file",
    "file": "file",
}
_COLLECTIONS = ("assistants", "vector_stores", "vector_store_files", "files", "data")
MAX_NESTING = 4


@dataclass(slots=True)
class Exported:
    """Objects as the service answers them. `store_files` are the attachments, by the store's id.

    `odd` names what was met and is none of them, `partial` the lists that say themselves that there is more, `twice`
    what was met again and differs, `masked` what a secret was taken out of.
    """

    assistants: dict[str, Json] = field(default_factory=dict)
    stores: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    store_files: dict[str, dict[str, Json]] = field(default_factory=dict)
    odd: list[tuple[str, str]] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    twice: list[tuple[str, str]] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)

    def take(self, value: Any, where: str, depth: int = 0) -> None:
        """Sort in an object, a list of them, or an answer that lists them; `where` says to people where it stood."""
        if isinstance(value, list):
            for number, item in enumerate(value, start=1):
                self.take(item, f"{where}, entry {number}", depth + 1)
            return
        if not isinstance(value, Mapping) or depth > MAX_NESTING:
            self.odd.append((where, "is no object of a service"))
            return
        kind = _kind_of(value)
        if kind:
            self._put(kind, value, where)
            return
        lists = [name for name in _COLLECTIONS if isinstance(value.get(name), list)]
        if not lists:
            said = value.get("object")
            self.odd.append((where, f"is {str(said)[:40]!r}" if isinstance(said, str) else "does not say what it is"))
            return
        if value.get("has_more") is True:
            self.partial.append(where)
        for name in lists:
            self.take(value[name], where if name == "data" else f"{where}, {name}", depth + 1)

    def mask(self, conceal: Callable[[Json], Json]) -> None:
        """Take secrets out of everything; `masked` names the objects that had some."""
        for group in (self.assistants, self.stores, self.files):
            for ident, item in group.items():
                clean = conceal(item)
                if clean != item:
                    group[ident] = clean
                    self.masked.append(ident)

    def _put(self, kind: str, value: Json, where: str) -> None:
        ident = value.get("id")
        name = ident if isinstance(ident, str) and ident else f"({where})"
        if kind == "store_file":
            owner = self.store_files.setdefault(str(value.get("vector_store_id")), {})
            owner.setdefault(name, value)
            return
        there = {"assistant": self.assistants, "store": self.stores, "file": self.files}[kind]
        if name in there and there[name] != value:
            self.twice.append((where, name))
        there.setdefault(name, value)


def _kind_of(value: Json) -> str:
    """Which of the four it is, "" for none. Exports by hand often lack `object`."""
    said = value.get("object")
    if isinstance(said, str):
        return _BY_OBJECT.get(said, "")
    ident = str(value.get("id", ""))
    if "vector_store_id" in value:
        return "store_file"
    if "filename" in value:
        return "file"
    if ident.startswith("vs_") or "file_counts" in value:
        return "store"
    if ident.startswith("asst_") or ("model" in value and ("instructions" in value or "tools" in value)):
        return "assistant"
    return ""


def named(assistants: Mapping[str, Json], wanted: Collection[str]) -> list[str]:
    """The ids of the assistants that are `wanted`, by id or by name. Raises NotFound with those that there are."""
    return list(dict.fromkeys(_named(assistants, text) for text in wanted))


def _named(assistants: Mapping[str, Json], text: str) -> str:
    if text in assistants:
        return text
    found = [ident for ident, item in assistants.items() if item.get("name") == text]
    if len(found) == 1:
        return found[0]
    shown = [f"{ident} ({item.get('name')})" if item.get("name") else ident for ident, item in assistants.items()]
    if found:
        raise NotFound(f"{len(found)} assistants are named {text}", fix=f"name one by its id: {listed(found)}")
    raise NotFound(
        f"there is no assistant {text}",
        fix=f"there are {listed(shown)}; leave out --assistant to bring over all of them",
    )


def used_by(assistant: Json) -> tuple[list[str], list[str]]:
    """The ids of stores and of files that an assistant names, whatever else is wrong with it."""
    resources = assistant.get("tool_resources")
    resources = resources if isinstance(resources, Mapping) else {}
    stores = _ids(resources.get("file_search"), "vector_store_ids")
    files = [*_ids(resources.get("code_interpreter"), "file_ids"), *_ids(assistant, "file_ids")]
    return stores, files


def _ids(holder: Any, name: str) -> list[str]:
    listed = holder.get(name) if isinstance(holder, Mapping) else None
    return list(_texts(listed)) if isinstance(listed, list) else []


def _texts(items: list[Any]) -> Iterator[str]:
    seen: set[str] = set()
    for item in items:
        if isinstance(item, str) and item and item not in seen:
            seen.add(item)
            yield item
