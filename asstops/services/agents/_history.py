"""The history of a prompt agent: its versions as they were, and the request that makes one of them current again.

A version never changes and cannot be made current by itself, so going back means one new version that says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asstops.mark import is_ours
from asstops.model import Observed
from asstops.services.agents import _wire as wire
from asstops.services.base import Version

if TYPE_CHECKING:
    from asstops.providers.session import Session

Json = dict[str, Any]
_SAID = frozenset({"kind", "model", "instructions", "temperature", "top_p", "reasoning", "tools", "text"})
"""Fields of a definition that a spec can say, `tools` and `text` in part."""


def versions(session: Session, live: Observed) -> tuple[Version, ...]:
    """Every version of an agent, the newest first: the one that `live` shows. Raises NotFound when it is gone."""
    from asstops.providers.agents_api import AgentsApi

    api = session.data
    if not isinstance(api, AgentsApi):
        raise TypeError("only agents have versions")
    latest: Mapping[str, Any] = live.raw["latest"]
    found = {str(version.get("version")): version for version in api.list_versions(live.remote_id)}
    found[str(latest.get("version"))] = dict(latest)  # also where a listing lags behind
    newest = _order(latest)
    known = sorted((version for version in found.values() if _order(version) <= newest), key=_order, reverse=True)
    return tuple(_version(version, live, session, known) for version in known)


def request(version: Version) -> Json:
    """What is sent to make the version current again; the metadata still without a mark."""
    raw = version.raw
    definition = wire.sendable(_definition(raw))
    made: Json = {"definition": definition, "metadata": _pairs(raw)}
    if raw.get("description"):
        made["description"] = raw["description"]
    return made


def _order(version: Mapping[str, Any]) -> tuple[int, str]:
    number = str(version.get("version") or "")
    return (int(number) if number.isdecimal() else 0, number)


def _version(raw: Mapping[str, Any], live: Observed, session: Session, every: Sequence[Mapping[str, Any]]) -> Version:
    agent = {"name": live.remote_id, "versions": {"latest": raw}}
    definition = _definition(raw)
    return Version(
        number=str(raw.get("version")),
        created_at=float(raw.get("created_at") or 0),
        live=replace(wire.observed(agent, session.homes), pristine=wire.is_genuine(raw, every)),
        content={
            "definition": _without_null(definition),
            "description": raw.get("description") or None,
            "metadata": _pairs(raw),
        },
        rest=_rest(definition),
        raw=raw,
    )


def _definition(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return raw.get("definition") or {}


def _pairs(raw: Mapping[str, Any]) -> dict[str, str]:
    """The user's own metadata."""
    return {key: value for key, value in (raw.get("metadata") or {}).items() if not is_ours(key)}


def _rest(definition: Mapping[str, Any]) -> Json:
    found = {name: value for name, value in definition.items() if name not in _SAID and value is not None}
    text = definition.get("text") or {}
    return found | {f"text.{name}": text[name] for name in text if name != "format" and text[name] is not None}


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_null(item) for name, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value
