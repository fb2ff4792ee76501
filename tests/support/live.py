"""Live state in a form that two runs can be compared by: ids become addresses, times and nonces go. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from asstops.mark import DIGESTS_KEY, KEY, from_metadata, from_tags
from asstops.model import Mark
from asstops.record import decode, id_digest, is_page

Json = dict[str, Any]
_TIMES = {
    "created_at", "last_active_at", "expires_at", "systemData", "internalId", "modified", "dateCreated", "principalId",
}  # fmt: skip
_OF_A_LIFE = ("guid", "agent_guid", "next", "version")  # what of an agent tells when it was made, and in which order
_NOTHING = (None, "", [], {}, False)


def is_bare(dump: Json) -> bool:
    """True when nothing at all is live."""
    return not any(dump.values())


def live_form(dump: Json) -> Json:
    """What is live, with no trace of when and in which order it was made.

    Files are known by name and size, since the service knows nothing else of them. An empty text, an empty list and a
    null all mean absent. Of a mark everything counts but the nonce and the generation.
    """
    names = {file["id"]: f"file {file['filename']} {file['bytes']}" for file in dump["files"]}
    for store in dump["vector_stores"]:
        mark = from_metadata(store["metadata"])
        names[store["id"]] = f"vector_store {mark.stack}/{mark.key}" if mark else "vector_store of somebody"
    for assistant in dump["assistants"]:
        names[assistant["id"]] = "assistant"
    stores, pages = [], []
    for store in dump["vector_stores"]:
        mark = from_metadata(store["metadata"])
        (pages if mark is not None and is_page(mark) else stores).append(store)
    return {
        "dead_entries": sum(_recorded(page, dump["files"])[-1] for page in pages),
        "files": sorted(names[file["id"]] for file in dump["files"]),
        "record": sorted(_recorded(page, dump["files"])[:-1] for page in pages),
        "vector_stores": _sorted([_plain(store, names) for store in stores]),
        "assistants": _sorted([_plain(_defaulted(item), names) for item in dump["assistants"]]),
        "agents": [_agent(item, names) for item in sorted(dump["agents"], key=lambda item: item["name"])],
        "projects": _sorted([_plain(item, names) for item in dump["projects"]]),
        "deployments": _sorted([_plain(item, names) for item in dump["deployments"]]),
        "accounts": _sorted([_plain(item, names) for item in dump["accounts"]]),
        "deleted_accounts": _sorted([item["name"] for item in dump["deleted_accounts"]]),
    }


def newest(form: Json) -> Json:
    """A live form with the newest version of each agent alone: how it came to be so is left out."""
    return {**form, "agents": [{**agent, "versions": agent["versions"][-1:]} for agent in form["agents"]]}


def versions_for_nothing(dump: Json) -> list[str]:
    """Versions of agents, as NAME:NUMBER, that hold what the version before them does, or a number not theirs.

    Every version that asstops makes says in its mark which number it was made to have.
    """
    found = []
    for agent in dump["agents"]:
        before: Any = None
        for version in agent["versions"]:
            now = {**_plain(version, {}), "version": "", "description": version.get("description")}
            mark = from_metadata(version["metadata"])
            if mark is not None and (now == before or str(mark.generation) != version["version"]):
                found.append(version["id"])
            before = now
    return found


def unrecorded(dump: Json) -> dict[str, str]:
    """Id -> name of the files that no stack's record knows."""
    known: set[str] = set()
    for store in dump["vector_stores"]:
        mark = from_metadata(store["metadata"])
        if mark is not None and is_page(mark):
            known |= set(decode(store["id"], mark, store["metadata"]).entries)
    return {file["id"]: file["filename"] for file in dump["files"] if id_digest(file["id"]) not in known}


def without(dump: Json, ids: Collection[str]) -> Json:
    """What is live but these objects; agents are known by their names."""
    left = {
        name: [item for item in items if item.get("id") not in ids] if isinstance(items, list) else items
        for name, items in dump.items()
    }
    return {**left, "agents": [agent for agent in left["agents"] if agent["name"] not in ids]}


def at_one_address(dump: Json) -> dict[str, list[str]]:
    """Address and generation -> ids, where more than one object claims to be the same."""
    found: dict[str, list[str]] = {}
    for kind in ("assistants", "vector_stores"):
        for item in dump[kind]:
            mark = from_metadata(item["metadata"])
            if mark is not None:
                found.setdefault(f"{mark.stack} {kind} {mark.key} {mark.generation}", []).append(item["id"])
    return {address: ids for address, ids in found.items() if len(ids) > 1}


def _recorded(page: Json, files: list[Json]) -> Any:
    """Which of the live files a page of the record knows, with their content; entries for no file stay visible."""
    mark = from_metadata(page["metadata"])
    assert mark is not None
    entries = dict(decode(page["id"], mark, page["metadata"]).entries)
    known = [
        f"{file['filename']} {entries.pop(id_digest(file['id']))}" for file in files if id_digest(file["id"]) in entries
    ]
    return (page["name"], mark.stack, mark.key, "note" in page["metadata"], tuple(sorted(known)), len(entries))


def _defaulted(item: Json) -> Json:
    """An assistant with the defaults that the service means by null."""
    for path, default in (("temperature", 1.0), ("top_p", 1.0), ("response_format", "auto")):
        item = {**item, path: default if item.get(path) is None else item[path]}
    tools = [_tool(tool) for tool in item["tools"]]
    return {**item, "tools": _sorted(tools)}


def _agent(item: Json, names: dict[str, str]) -> Json:
    """An agent with all its versions, the oldest first; what an old one refers to may be gone."""
    versions = [{k: v for k, v in version.items() if k not in _OF_A_LIFE} for version in item["versions"]]
    plain = _plain({k: v for k, v in item.items() if k not in (*_OF_A_LIFE, "versions")}, names)
    return {**plain, "versions": [_forgotten(_plain(version, names)) for version in versions]}


def _forgotten(value: Any) -> Any:
    """Without the ids of what is gone."""
    if isinstance(value, dict):
        return {key: _forgotten(item) for key, item in value.items()}
    if isinstance(value, list):
        return _sorted([_forgotten(item) for item in value])
    return re.sub(r"^(vs_|assistant-)[A-Za-z0-9]{20,}$", "gone", value) if isinstance(value, str) else value


def _tool(tool: Json) -> Json:
    """A tool without what a service fills in by itself."""
    return {key: value for key, value in tool.items() if not (key == "file_search" and not value)}


def _plain(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        result = {}
        for key, item in value.items():
            if key in _TIMES or key == "id":
                continue
            if key in ("metadata", "tags"):
                item = {**{k: v for k, v in (item or {}).items() if k not in (KEY, DIGESTS_KEY)}, "": _mark(item or {})}
            plain = _plain(item, names) if key not in ("metadata", "tags") else item
            if plain not in _NOTHING:
                result[key] = plain
        return result
    if isinstance(value, list):
        found = [_plain(item["id"], names) if set(item) == {"id", "status"} else _plain(item, names)
                 if isinstance(item, dict) else names.get(item, item) for item in value]  # fmt: skip
        return _sorted(found)
    return names.get(value, value) if isinstance(value, str) else value


def _mark(pairs: Json) -> Any:
    mark: Mark | None = from_tags(pairs) if DIGESTS_KEY in pairs else from_metadata(pairs)
    if mark is None:
        return None
    return (mark.stack, mark.key, mark.origin, mark.protect, tuple(sorted(mark.fields.items())))


def _sorted(items: list[Any]) -> list[Any]:
    return sorted(items, key=repr)


def differing(left: Json, right: Json) -> dict[str, tuple[Any, Any]]:
    """The sections in which two live forms differ, each with what only one of them has: short enough to read."""
    found = {}
    for name in left:
        if left[name] != right[name]:
            a, b = ([left[name]], [right[name]]) if isinstance(left[name], int) else (left[name], right[name])
            only = ([item for item in a if item not in b], [item for item in b if item not in a])
            found[name] = only if any(only) else (a, b)  # the same things, but not as many of each
    return found
