"""How a prompt agent looks on the wire of Foundry Agent Service v1, both ways. Pure.

Source: the models of azure-ai-projects 2.10. Tools are flat there, unlike those of the Assistants API.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from asstops.kinds.base import Homes
from asstops.mark import from_metadata, is_ours
from asstops.model import Mark, Observed, Past

Json = dict[str, Any]
DISPLAY_NAME = "display_name"
TOOL_FIELDS = ("code_interpreter", "file_search", "functions", "mcp", "openapi", "web_search", "other_tools")
_PLAIN = ("instructions", "temperature", "top_p", "reasoning")
_SAMPLING = ("temperature", "top_p")
_READ_ONLY = {"openapi": ("functions",)}
_DOCUMENTS = frozenset({"parameters", "output_schema", "schema", "spec", "structured_inputs"})


# Writing --------------------------------------------------------------------------------------------------


def definition(body: Mapping[str, Any], changed: frozenset[str], live: Mapping[str, Any]) -> Json:
    """The whole definition of a version: `body` laid over what is live.

    What the spec does not name stays as it is; what left it (in `changed`, not in `body`) goes.
    """
    live = sendable(live) if live.get("kind") == "prompt" else {}  # what an agent of another kind has is not ours
    made: Json = {**live, "kind": "prompt", "model": body["model"]}
    for path in _PLAIN:
        if path in body:
            made[path] = body[path]
        elif path in changed or (path in _SAMPLING and made.get(path) == 1):
            made.pop(path, None)  # a default that the service filled in: a reasoning model takes none at all
    if "response_format" in body or "response_format" in changed:
        text = {name: value for name, value in (made.get("text") or {}).items() if name != "format"}
        form = _text_format(body.get("response_format"))
        made["text"] = text | ({"format": form} if form else {})
        if not made["text"]:
            del made["text"]
    if not live or any(path.startswith(TOOL_FIELDS) for path in changed):
        made["tools"] = _tools(body, live.get("tools") or ())
        if not made["tools"]:
            del made["tools"]
    return made


def _text_format(form: Any) -> Json:
    if not isinstance(form, Mapping):
        return {}
    return {"type": form["type"], **form.get("json_schema", {})}


def _tools(body: Mapping[str, Any], live: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The list of tools. What a live one of the same type has beside our settings is carried over."""
    made: list[Json] = []
    if body["code_interpreter"]:
        container: Json = {"type": "auto"}
        if body["code_interpreter.files"]:
            container["file_ids"] = list(body["code_interpreter.files"])
        if body.get("code_interpreter.memory_limit") is not None:
            container["memory_limit"] = body["code_interpreter.memory_limit"]
        made.append({**_rest(live, "code_interpreter", "container"), "container": container})
    if body["file_search"]:
        search = _rest(live, "file_search", "vector_store_ids", "max_num_results", "ranking_options")
        store = body["file_search.vector_store"]
        # The spec names one; a portal may have made it none or several, and that may be kept.
        search["vector_store_ids"] = store if isinstance(store, list) else [] if store is None else [store]
        for field in ("max_num_results", "ranking_options"):
            if body.get(f"file_search.{field}") is not None:
                search[field] = body[f"file_search.{field}"]
        made.append(search)
    made += [{"type": "function", "strict": False, **function} for function in body["functions"]]
    made += [{"type": "mcp", **server} for server in body["mcp"]]
    made += [{"type": "openapi", "openapi": dict(api)} for api in body["openapi"]]
    if body["web_search"]:
        made.append({**_rest(live, "web_search", *_WEB_SEARCH), **_web_search(body)})
    made += [writable(tool) for tool in body["other_tools"]]  # none, unless other people's are kept
    return [_without_nulls(tool) for tool in made]


def sendable(definition: Mapping[str, Any]) -> Json:
    """A live definition as it can be sent again: a service may answer null where it does not take it."""
    made: Json = _without_nulls(definition)
    if "tools" in made:
        made["tools"] = [writable(tool) for tool in made["tools"]]
    return made


def _without_nulls(value: Any) -> Any:
    """A copy. In JSON documents of the user's own a null means something and stays."""
    if isinstance(value, Mapping):
        return {
            name: copy.deepcopy(item) if name in _DOCUMENTS else _without_nulls(item)
            for name, item in value.items()
            if item is not None
        }
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def writable(tool: Mapping[str, Any]) -> Json:
    """A live tool without what the service fills in by itself."""
    made = dict(copy.deepcopy(tool))
    for field, names in _READ_ONLY.items():
        if isinstance(made.get(field), Mapping):
            made[field] = {name: value for name, value in made[field].items() if name not in names}
    return made


_WEB_SEARCH = ("search_context_size", "user_location", "filters")


def _web_search(body: Mapping[str, Any]) -> Json:
    made: Json = {}
    if (size := body.get("web_search.search_context_size")) is not None:
        made["search_context_size"] = size
    if (place := body.get("web_search.user_location")) is not None:
        made["user_location"] = {"type": "approximate", **place}
    if (domains := body.get("web_search.allowed_domains")) is not None:
        made["filters"] = {"allowed_domains": domains}
    return made


def _rest(live: Sequence[Mapping[str, Any]], kind: str, *ours: str) -> Json:
    """A live tool of this type without the settings that are ours."""
    found = next((tool for tool in live if tool.get("type") == kind), {})
    return {"type": kind, **{name: copy.deepcopy(value) for name, value in found.items() if name not in ours}}


# Reading --------------------------------------------------------------------------------------------------


def observed(agent: Mapping[str, Any], homes: Homes, listed: Sequence[Mapping[str, Any]] = ()) -> Observed:
    """A live agent in the form in which wanted ones are compared.

    `listed` are its versions, the newest first, as far as a listing shows them; none where they do not matter. The
    agent is whose its newest marked version is.
    """
    latest: Mapping[str, Any] = (agent.get("versions") or {}).get("latest") or {}
    made = latest.get("definition") or {}
    metadata = latest.get("metadata") or {}
    # A listing may lag behind the agent itself, and come in another order than was asked for.
    older = [version for version in listed if number(version) < number(latest)]
    versions = [latest, *sorted(older, key=number, reverse=True)]
    tells = telling(versions)
    return Observed(
        kind="assistant",
        remote_id=agent["name"],
        name=agent["name"],
        body={
            **_body(made, metadata),
            "description": latest.get("description"),
        },
        mark=mark_of(tells) if tells is not None else None,
        created_at=latest.get("created_at") or 0,
        uses=homes.union(*(uses(version.get("definition") or {}) for version in versions)),
        history=tuple(
            Past(str(version.get("version")), uses(version.get("definition") or {}), tells=version is tells)
            for version in (versions if listed else ())
        ),
        problems=_problems(agent, made),
        pristine=is_genuine(latest, versions),
        raw={"agent": agent, "latest": latest},
    )


def _problems(agent: Mapping[str, Any], made: Mapping[str, Any]) -> Json:
    """What keeps an agent from being used, or from being ours."""
    found: Json = {}
    if made.get("kind") not in (None, "prompt"):
        found["kind"] = f"it is an agent of kind {made['kind']}"
    if agent.get("state") == "disabled":
        found["state"] = "it is disabled: nobody can talk with it"
    return found


def mark_of(version: Mapping[str, Any]) -> Mark | None:
    """The mark of a version. On a copy of an agent under another name it means nothing."""
    mark = from_metadata(version.get("metadata"))
    return mark if mark is not None and mark.key == version.get("name") else None


def number(version: Mapping[str, Any]) -> int:
    """Its number; 0 for one that is none."""
    text = str(version.get("version") or "")
    return int(text) if text.isdecimal() else 0


def is_genuine(version: Mapping[str, Any], versions: Sequence[Mapping[str, Any]] = ()) -> bool:
    """Whether a version carries the mark that was made for it; others may carry a copy of an older one's.

    A service may leave numbers out. So the first of `versions` that carries a mark counts as the one that it was made
    for, where the number that it names is nobody's.
    """
    mark = mark_of(version)
    if mark is None:
        return False
    if mark.generation == number(version):
        return True
    same = [other for other in versions if mark_of(other) == mark]
    taken = any(number(other) == mark.generation for other in versions)
    return bool(same) and not taken and mark.generation < number(version) and min(same, key=number) is version


def telling(versions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The version whose mark counts: the newest that carries its own, else the newest that carries any."""
    genuine = next((version for version in versions if is_genuine(version, versions)), None)
    return genuine or next((version for version in versions if mark_of(version) is not None), None)


def uses(made: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """What a definition refers to, as pairs (kind, remote id)."""
    found = {("deployment", str(made["model"]))} if made.get("model") else set()
    for tool in made.get("tools") or ():
        found |= {("vector_store", store) for store in tool.get("vector_store_ids") or ()}
        container = tool.get("container")
        if isinstance(container, Mapping):
            found |= {("file", file) for file in container.get("file_ids") or ()}
    return frozenset(found)


def _body(made: Mapping[str, Any], metadata: Mapping[str, str]) -> Json:
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for tool in made.get("tools") or ():
        by_type.setdefault(_type_of(tool), []).append(tool)
    code = by_type.get("code_interpreter", [{}])[0].get("container") or {}
    search = by_type.get("file_search", [{}])[0]
    stores = search.get("vector_store_ids") or []
    web = by_type.get("web_search", [{}])[0]
    others = [tool for kind, tools in by_type.items() for tool in (tools if kind not in _KNOWN else ())]
    others += [tool for kind in _ONCE for tool in by_type.get(kind, [])[1:]]
    return {
        "name": metadata.get(DISPLAY_NAME),
        "model": made.get("model"),
        "instructions": made.get("instructions"),
        "temperature": made.get("temperature"),
        "top_p": made.get("top_p"),
        "reasoning": _given(made.get("reasoning")),
        "response_format": _response_format((made.get("text") or {}).get("format")),
        "metadata": {key: value for key, value in metadata.items() if not is_ours(key)},
        "code_interpreter": "code_interpreter" in by_type,
        "code_interpreter.files": list(code.get("file_ids") or ()),
        "code_interpreter.memory_limit": code.get("memory_limit"),
        "file_search": "file_search" in by_type,
        "file_search.vector_store": list(stores) if len(stores) > 1 else stores[0] if stores else None,
        "file_search.max_num_results": search.get("max_num_results"),
        "file_search.ranking_options": _given(search.get("ranking_options")),
        "functions": [_function(tool) for tool in by_type.get("function", [])],
        "mcp": [_without(tool, "type") for tool in by_type.get("mcp", [])],
        "openapi": [_without(tool.get("openapi") or {}, *_READ_ONLY["openapi"]) for tool in by_type.get("openapi", [])],
        "web_search": "web_search" in by_type,
        "web_search.search_context_size": web.get("search_context_size"),
        "web_search.user_location": _without(web.get("user_location") or {}, "type") or None,
        "web_search.allowed_domains": (web.get("filters") or {}).get("allowed_domains"),
        "other_tools": others,
        "other_settings": {name: made[name] for name in sorted(made) if name not in _OURS and made[name] is not None},
    }


_OURS = ("kind", "model", "tools", "text", *_PLAIN)
_ONCE = ("code_interpreter", "file_search", "web_search")
_KNOWN = (*_ONCE, "function", "mcp", "openapi")


_SAID = {
    "code_interpreter": {"type", "container"},
    "file_search": {"type", "vector_store_ids", "max_num_results", "ranking_options"},
    "web_search": {"type", "search_context_size", "user_location", "filters"},
}
_SAID_INSIDE = {"container": {"type", "file_ids", "memory_limit"}, "filters": {"allowed_domains"}}


def unsaid(made: Mapping[str, Any]) -> Iterator[str]:
    """Settings of a definition that no spec can say and the body does not show: `file_search.filters`, say."""
    yield from (f"text.{name}" for name in _beyond(made.get("text"), {"format"}))
    for tool in made.get("tools") or ():
        kind = _type_of(tool)
        if kind not in _SAID:
            continue
        yield from (f"{kind}.{name}" for name in _beyond(tool, _SAID[kind]))
        for field in _SAID[kind] & _SAID_INSIDE.keys():
            yield from (f"{kind}.{field}.{name}" for name in _beyond(tool.get(field), _SAID_INSIDE[field]))


def _beyond(value: Any, known: Collection[str]) -> list[str]:
    named = value if isinstance(value, Mapping) else {}
    return sorted(name for name, item in named.items() if name not in known and item not in (None, [], {}))


def _type_of(tool: Mapping[str, Any]) -> str:
    """A code interpreter in a container of somebody's own is none of those that a spec can say."""
    kind = str(tool.get("type"))
    return "container" if kind == "code_interpreter" and isinstance(tool.get("container"), str) else kind


def _function(tool: Mapping[str, Any]) -> Json:
    """A function as the spec would give it: `strict` only when it is on."""
    return {name: value for name, value in _without(tool, "type").items() if name != "strict" or value}


def _response_format(form: Mapping[str, Any] | None) -> Any:
    if not form:
        return None
    if form.get("type") != "json_schema":
        return _given(form)
    return {"type": "json_schema", "json_schema": _without(form, "type")}


def _given(value: Any) -> Any:
    """A map without what is null; None when nothing is left."""
    return _without(value) or None if isinstance(value, Mapping) else value


def _without(value: Mapping[str, Any], *names: str) -> Json:
    return {name: item for name, item in value.items() if name not in names and item is not None}
