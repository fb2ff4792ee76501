"""What a handler gets and gives: Call, Reply, Refusal, and the table of routes.

Owns the vocabulary that every API file uses. It knows no API, no server and no database.

An API file lists its routes in a module-level `ROUTES`; a plane (ARM, the data plane, the emulator's own
paths) says which paths are its, signs the caller in and words its errors.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from asstops.emulator.faults import Fault
    from asstops.emulator.state import State

Json: TypeAlias = dict[str, Any]
_DEEPEST = 256  # levels of a body: checks and handlers go down it by recursion, and SQLite reads no more than 1000


class Refusal(Exception):
    """The request is refused; the plane turns it into its own error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
        body: Json | None = None,
        delay_s: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param, self.kind = status, message, code, param, kind
        self.delay_s = delay_s
        self.headers = dict(headers or {})
        self.body = body  # given: sent as it is, instead of the plane's own wording


@dataclass(slots=True)
class Reply:
    """An answer, sent after `delay_s` seconds.

    `body` is JSON unless it is bytes; None is an empty body. A `stream` is sent instead of it.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    stream: AsyncGenerator[bytes, None] | None = None
    delay_s: float = 0.0

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class Upload:
    """One file of a multipart body, spooled to disk when it is large."""

    filename: str
    size: int
    read: Callable[[int], bytes]
    close: Callable[[], None]


@dataclass(slots=True)
class Call:
    """One request on its way through. `account` is the row number of the account, 0 where there is none."""

    method: str
    path: str  # decoded, without the account's prefix
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    state: State
    raw: bytes = b""
    fields: list[tuple[str, str | Upload]] | None = None  # of a multipart body
    params: dict[str, str] = field(default_factory=dict)
    account: int = 0
    account_name: str = ""
    surface: str = ""  # api-version of the data plane: a date, or v1
    principal: str = ""  # "key" or "token"
    fault: Fault | None = None  # the one that strikes this request
    request_id: str = ""

    def one(self, name: str) -> str | None:
        """Return the last value of a query parameter, or None."""
        values = self.query.get(name)
        return values[-1] if values else None

    def token_expired(self, expires: float) -> bool:
        """Say whether the caller's token is too old, or a fault wants it to be."""
        return expires <= self.state.now() or bool(self.fault and self.fault.token)

    def listed_at(self) -> float | None:
        """Return the time whose state a list shows, None for the present."""
        settings = self.state.settings
        lag = settings.list_lag_s if self.surface else settings.arm_list_lag_s
        if self.fault and self.fault.list_lag_s is not None:
            lag = self.fault.list_lag_s
        return self.state.now() - lag if lag else None

    def json(self) -> Json:
        """Return the body, which must be a JSON object."""
        if self.fields is not None:
            raise Refusal(415, "The body must be JSON, not multipart form data.", code="unsupported_media_type")
        try:
            body = json.loads(self.raw, parse_constant=_no_constant)
            if b"\\u" in self.raw:  # half of a surrogate pair can be escaped, but is no character
                json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise Refusal(400, f"The body of the request is not valid JSON: {error}", code="invalid_json") from error
        if not isinstance(body, dict):
            raise Refusal(400, "The body of the request must be a JSON object.", code="invalid_type")
        if self.raw.count(b"{") + self.raw.count(b"[") > _DEEPEST and _is_deep(body):
            message = f"The body of the request is nested too deep: more than {_DEEPEST} levels."
            raise Refusal(400, message, code="invalid_json")
        return body


Handler: TypeAlias = Callable[[Call], Reply]
Upkeep: TypeAlias = Callable[["State"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path of a plane. `{name}` in the pattern stands for one segment.

    `surfaces` limits a data-plane route to some api-versions; empty means all of them. `action` is the
    permission that a token needs, as in "assistants/write".
    """

    plane: str
    method: str
    pattern: str
    handler: Handler
    surfaces: frozenset[str] = frozenset()
    action: str = ""


class Plane(Protocol):
    """A family of paths with its own sign-in, versions and error bodies."""

    name: str
    ignore_case: bool

    def claim(self, call: Call, /) -> bool:
        """Say whether the path is this plane's, and if so set `call.path` and the account."""
        ...

    def admit(self, call: Call, /) -> None:
        """Check sign-in and api-version before a route is looked up; raise Refusal."""
        ...

    def permit(self, call: Call, route: Route, /) -> None:
        """Check what the route itself demands: surface and permission; raise Refusal."""
        ...

    def unknown(self, call: Call, known_path: bool, /) -> Refusal:
        """Return the refusal for a path without a route (or, `known_path`, with another method only)."""
        ...

    def error(self, call: Call, refusal: Refusal, /) -> Json:
        """Return the error body."""
        ...

    def headers(self, call: Call, /) -> dict[str, str]:
        """Return headers that every answer of this plane has."""
        ...


class RouteTable:
    """Routes by plane, method and number of segments."""

    def __init__(self, routes: list[Route], planes: Mapping[str, Plane]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        self._ignore_case = {name: plane.ignore_case for name, plane in planes.items()}
        for route in routes:
            segments = route.pattern.strip("/").split("/")
            if self._ignore_case[route.plane]:
                segments = [part if part.startswith("{") else part.lower() for part in segments]
            self._routes.setdefault((route.plane, len(segments)), []).append((segments, route))

    def find(self, plane: str, method: str, path: str, surface: str) -> tuple[Route | None, dict[str, str], bool]:
        """Return the route, its path parameters, and whether the path exists with any method."""
        parts = path.strip("/").split("/")
        lowered = [part.lower() for part in parts] if self._ignore_case[plane] else parts
        known = False
        for segments, route in self._routes.get((plane, len(parts)), ()):
            if any(s != p for s, p in zip(segments, lowered, strict=True) if not s.startswith("{")):
                continue
            if surface and route.surfaces and surface not in route.surfaces:
                continue
            known = True
            if route.method == method:
                params = {s[1:-1]: p for s, p in zip(segments, parts, strict=True) if s.startswith("{")}
                return route, params, True
        return None, {}, known


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _is_deep(body: Json) -> bool:
    level: list[Any] = [body]
    for _ in range(_DEEPEST):
        inner = (value for each in level for value in (each.values() if isinstance(each, dict) else each))
        level = [value for value in inner if isinstance(value, (dict, list))]
        if not level:
            return False
    return True
