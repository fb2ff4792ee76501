"""Scripted faults: answers that go wrong on purpose.

Owns how a fault is described, when it strikes and how often. It does not carry it out: the server breaks
the answers, and the files, lists, operations and sign-in ask here how they should end. docs/emulator.md is
what users are promised.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asstops.emulator import checks, scriptfile
from asstops.emulator.settings import EmulatorError


@dataclass(slots=True)
class Fault:
    """One fault. `nth` is the first matching request that it strikes, `count` how many (0: all that follow)."""

    id: int
    method: str | None = None
    path: str | None = None
    filename: str | None = None
    nth: int = 1
    count: int = 1
    probability: float = 1.0  # of striking a request that matches
    seed: int = 0
    status: int | None = None
    headers: dict[str, str] | None = None
    body: Any = None
    delay_s: float = 0.0
    hang_s: float = 0.0  # between the commit and the answer, unless the client gives up before
    alter: dict[str, Any] | None = None  # laid over the request's body: something else is stored than was sent
    cut: str | None = None  # before or after the commit
    garbage: bool = False
    truncate: bool = False
    commit: bool = False  # with status: run the request first, then answer with the status
    ingestion: str | None = None  # fail or stuck
    operation: str | None = None  # fail or stuck
    error_code: str | None = None  # of a failed ingestion or operation
    list_lag_s: float | None = None  # a listing knows nothing of what is younger
    token: str | None = None  # expired
    seen: int = 0
    struck: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable, not secret

    def strikes(self) -> bool:
        """Count a request that matches, and say whether it is struck."""
        self.seen += 1
        if self.seen < self.nth or (self.count and self.struck >= self.count):
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def shown(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}


_HEADER = checks.string(pattern=r"[^\x00-\x08\x0a-\x1f\x7f]*")


def _headers(value: Any, path: str) -> None:
    """Header values; a number is taken as its text, since YAML writes `Retry-After: 7`."""
    checks.any_object(value, path)
    for name, text in value.items():
        where = f"{path}.{name}"
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise checks.Invalid(path, "invalid_value", f"'{name}' is no name of a header.")
        if name.lower() in {"content-length", "transfer-encoding"}:
            raise checks.Invalid(where, "invalid_value", f"'{where}' is set by the server; see truncate and cut.")
        if isinstance(text, bool) or not isinstance(text, int):
            _HEADER(text, where)


_CHECK = checks.record(
    {
        "method": checks.string(),
        "path": checks.string(),
        "filename": checks.string(),
        "nth": checks.number(1, whole=True),
        "count": checks.number(0, whole=True),
        "probability": checks.number(0, 1),
        "seed": checks.number(whole=True),
        "status": checks.number(200, 599, whole=True),
        "headers": _headers,
        "body": checks.anything,
        "delay_s": checks.number(0),
        "hang_s": checks.number(0),
        "alter": checks.any_object,
        "cut": checks.choice(("before", "after")),
        "garbage": checks.boolean(),
        "truncate": checks.boolean(),
        "commit": checks.boolean(),
        "ingestion": checks.choice(("fail", "stuck")),
        "operation": checks.choice(("fail", "stuck")),
        "error_code": checks.string(shortest=1),
        "list_lag_s": checks.number(0),
        "token": checks.choice(("expired",)),
    }
)
_EFFECTS = (
    "status", "delay_s", "hang_s", "alter", "cut", "garbage", "truncate", "ingestion", "operation", "list_lag_s",
    "token",
)  # fmt: skip
_NEEDS = {  # a part of a description, and what it says something about
    "headers": ("status",),
    "body": ("status",),
    "commit": ("status",),
    "seed": ("probability",),
    "filename": ("ingestion",),
    "error_code": ("ingestion", "operation"),
}


def altered(raw: bytes, change: dict[str, Any]) -> bytes:
    """Return a JSON body with `change` laid over it, map by map; null takes a member out. Other bodies stay."""
    try:
        body = json.loads(raw)
    except ValueError:
        return raw
    return json.dumps(_merged(body, change)).encode() if isinstance(body, dict) else raw


def _merged(body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    result = dict(body)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            inner = result.get(name)
            result[name] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result


class Faults:
    """The faults that are set: those of the file first, then those that came over the wire, oldest first."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._faults: list[Fault] = []
        self._next = 1
        self.reset()

    def add(self, described: Any) -> list[Fault]:
        """Add one fault, a list of them, or {"faults": [...]}; raises checks.Invalid when one makes no sense."""
        if isinstance(described, dict) and "faults" in described:
            checks.record({"faults": checks.array(checks.any_object)})(described, "")
            described = described["faults"]
        items = [described] if isinstance(described, dict) else described
        checks.array(checks.any_object)(items, "faults")
        made = [self._fault(item) for item in items]  # all or none
        self._faults += made
        return made

    def _fault(self, description: dict[str, Any]) -> Fault:
        _CHECK(description, "")
        for name in ("path", "filename"):
            try:
                re.compile(description.get(name) or "")
            except re.error as error:
                raise checks.Invalid(name, "invalid_value", f"{name} is no regular expression: {error}") from error
        if all(description.get(name) is None or description[name] is False for name in _EFFECTS):
            raise checks.Invalid("", "invalid_value", f"The fault does nothing; it needs one of {', '.join(_EFFECTS)}.")
        for name, wanted in _NEEDS.items():
            if name in description and not any(other in description for other in wanted):
                raise checks.Invalid(name, "invalid_value", f"'{name}' says nothing without '{' or '.join(wanted)}'.")
        headers = description.get("headers")
        if headers is not None:
            description = {**description, "headers": {name.lower(): str(value) for name, value in headers.items()}}
        fault = Fault(id=self._next, **description)
        self._next += 1
        return fault

    def all(self) -> list[Fault]:
        return list(self._faults)

    def clear(self) -> None:
        """Forget all faults, those of the file too."""
        self._faults.clear()

    def reset(self) -> None:
        """Go back to the faults of the file, as it is now, none of them spent."""
        self._faults = []
        if self._path is not None:
            try:
                self.add(scriptfile.read(self._path, "faults"))
            except checks.Invalid as error:
                raise EmulatorError(f"the faults in {self._path} are not valid: {error.message}") from error

    def remove(self, ident: int) -> bool:
        kept = [fault for fault in self._faults if fault.id != ident]
        found = len(kept) < len(self._faults)
        self._faults = kept
        return found

    def for_request(self, method: str, path: str, *, by_token: bool = False) -> Fault | None:
        """Return the fault that strikes this request, counting it; the first one set wins."""
        for fault in self._faults:
            if fault.ingestion or (fault.method and fault.method.upper() != method):
                continue
            if (fault.path and not re.search(fault.path, path)) or (fault.token and not by_token):
                continue
            if fault.strikes():
                return fault
        return None

    def for_ingestion(self, filename: str) -> Fault | None:
        """Return the fault that strikes the ingestion of a file of this name."""
        for fault in self._faults:
            if fault.ingestion and re.search(fault.filename or "", filename) and fault.strikes():
                return fault
        return None
