"""The ASGI application: one request from the first byte to the last.

Owns reading the request, the transaction around the handler, faults, and sending the answer. It knows no
API: planes and routes come from the registry.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect

from asstops.emulator import ids
from asstops.emulator.checks import Invalid
from asstops.emulator.faults import altered
from asstops.emulator.multipart import read_form
from asstops.emulator.requestlog import safe_headers
from asstops.emulator.state import State
from asstops.emulator.wire import Call, Json, Plane, Refusal, Reply, RouteTable, Upload

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from asstops.emulator.faults import Fault

ADMIN_PREFIX = "/_emulator"
TRANSPORT = "asstops.transport"
_TRUNCATED_AFTER = 4  # parts of a stream that a fault lets through
LOG = logging.getLogger("asstops.emulator")


class App:
    """Handlers run one at a time on the event loop, so they need no locks."""

    def __init__(self, state: State, planes: dict[str, Plane], table: RouteTable) -> None:
        self.state, self.planes, self.table = state, planes, table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call = self._call(scope)
        try:
            await self._serve(call, scope, receive, send)
        except ClientDisconnect:  # in the middle of its body: what was meant is not known, so nothing is done
            LOG.debug("%s %s was not sent to its end", call.method, call.path)
        finally:
            for _, value in call.fields or ():
                if isinstance(value, Upload):
                    value.close()

    async def _serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        multipart = call.headers.get("content-type", "").startswith("multipart/form-data")
        trouble: Refusal | None = None
        if multipart:
            try:
                call.fields = await read_form(scope, receive)
            except Refusal as refusal:
                trouble = refusal
        else:
            call.raw = await _body(receive)
        path = call.path
        admin = path.startswith(ADMIN_PREFIX)
        fault = None if admin else self.state.faults.for_request(call.method, path, by_token=_by_token(call))
        entry = None if admin else self.state.log.begin(_entry(call, self.state.now(), fault))
        delay = self.state.settings.latency_s * (not admin) + (fault.delay_s if fault else 0)
        if delay:
            await asyncio.sleep(delay)
        if fault and fault.cut == "before":
            await _abort(scope, receive, entry, "before")
            return
        if fault and fault.status is not None and not fault.commit:
            reply = _faulty(fault)
        else:
            if fault and fault.alter is not None:
                call.raw = altered(call.raw, fault.alter)
            reply = self._answer(call, fault, trouble)
            if reply.delay_s:
                await asyncio.sleep(reply.delay_s)
            if fault and fault.status is not None:
                reply = _faulty(fault)
        if fault and (fault.cut == "after" or (fault.hang_s and await _gave_up(receive, fault.hang_s))):
            await _abort(scope, receive, entry, "after")
            return
        if entry is not None:
            entry["status"], entry["account"] = reply.status, call.account_name
        for name in ("x-ms-client-request-id",):
            if name in call.headers:
                reply.headers.setdefault(name, call.headers[name])
        if reply.stream is not None and not (fault and fault.garbage):
            await _send_stream(scope, receive, send, reply, reply.stream, fault)
        else:
            await _send(scope, send, reply, fault)

    def _call(self, scope: Scope) -> Call:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"]
        return Call(
            method=scope["method"],
            path=scope["path"],
            query=parse_qs(query.decode("latin-1"), keep_blank_values=True) if query else {},
            headers=headers,
            state=self.state,
            request_id=ids.guid(),
        )

    def _answer(self, call: Call, fault: Fault | None, trouble: Refusal | None) -> Reply:
        """Run the handler inside a transaction and turn every refusal into its plane's error body."""
        store = self.state.store
        call.fault = fault
        plane: Plane | None = None
        rate: dict[str, str] = {}
        store.db.execute("BEGIN")
        try:
            if self.state.settle():  # what time has brought about holds, also when this request is refused
                store.db.execute("COMMIT")
                store.db.execute("BEGIN")
            plane = next(plane for plane in self.planes.values() if plane.claim(call))
            plane.admit(call)
            if call.account:
                rate = self.state.rate.admit(call.account, self.state.now())
            route, params, known = self.table.find(plane.name, call.method, call.path, call.surface)
            if route is None:
                raise plane.unknown(call, known)
            call.params = params
            plane.permit(call, route)
            if trouble:
                raise trouble
            reply = route.handler(call)
            store.db.execute("COMMIT")
        except (Refusal, Invalid) as error:
            self._undo()
            refusal = error if isinstance(error, Refusal) else invalid(error)
            reply = Reply(refusal.body, refusal.status, dict(refusal.headers), delay_s=refusal.delay_s)
            if refusal.body is None and plane is not None:
                reply.body = plane.error(call, refusal)
        except Exception:
            self._undo()
            LOG.exception("%s %s failed", call.method, call.path)
            reply = Reply({"error": {"code": "InternalServerError", "message": "The emulator failed."}}, 500)
        reply.headers.setdefault("x-ms-request-id", call.request_id)
        if plane is not None:
            for name, value in {**plane.headers(call), **rate}.items():
                reply.headers.setdefault(name, value)
        return reply

    def _undo(self) -> None:
        self.state.store.db.execute("ROLLBACK")
        self.state.restless()


def _by_token(call: Call) -> bool:
    """Say whether the caller signs in with a token; on v1 a key may stand in the same header."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and token.count(".") == 2


def invalid(error: Invalid) -> Refusal:
    return Refusal(400, error.message, code=error.code, param=error.path)


def _entry(call: Call, now: float, fault: Fault | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "method": call.method,
        "path": call.path,
        "query": {name: values[-1] for name, values in call.query.items()},
        "headers": safe_headers(call.headers),
        "time": now,
        "status": None,
        "account": "",
        "raw": call.raw,
    }
    if call.fields is not None:
        entry["fields"] = {
            name: value if isinstance(value, str) else {"filename": value.filename, "size": value.size}
            for name, value in call.fields
        }
    if fault:
        entry["fault"] = fault.id
    return entry


def shown_entry(entry: dict[str, Any]) -> Json:
    """Return a log entry as JSON, its body parsed."""
    shown = {name: value for name, value in entry.items() if name not in {"raw", "fields"}}
    shown["body"] = None
    if "fields" in entry:
        shown["multipart"] = entry["fields"]
    elif entry["raw"]:
        try:
            shown["body"] = json.loads(entry["raw"])
        except ValueError:
            shown["body"] = entry["raw"].decode("utf-8", "replace")
    return shown


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts) if len(parts) > 1 else parts[0]


def _faulty(fault: Fault) -> Reply:
    body, status, headers = fault.body, fault.status or 500, dict(fault.headers or {})
    if status in {204, 304}:
        return Reply(None, status, headers)
    if body is None:
        body = {"error": {"code": str(status), "message": "A scripted fault.", "param": None, "type": None}}
    media_type = headers.pop("content-type", "text/plain" if isinstance(body, str) else "application/json")
    return Reply(body.encode() if isinstance(body, str) else body, status, headers, media_type)


async def _send(scope: Scope, send: Send, reply: Reply, fault: Fault | None) -> None:
    body = reply.encoded()
    if fault and fault.garbage:
        body, reply.media_type = b"<html><body>Bad upstream</body></html>", "text/html"
    headers = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in reply.headers.items()]
    if body or reply.status not in {202, 204, 304}:
        headers.append((b"content-type", reply.media_type.encode()))
    if reply.status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if fault and fault.truncate:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        scope[TRANSPORT].close()
        return
    await send({"type": "http.response.body", "body": body})


async def _send_stream(
    scope: Scope, receive: Receive, send: Send, reply: Reply, parts: AsyncGenerator[bytes, None], fault: Fault | None
) -> None:
    """Send the parts as they come, until the client goes away."""
    headers = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in reply.headers.items()]
    headers.append((b"content-type", reply.media_type.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    gone = asyncio.ensure_future(receive())
    sent = 0
    try:
        async for part in parts:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": part, "more_body": True})
            sent += 1
            if fault and fault.truncate and sent == _TRUNCATED_AFTER:
                scope[TRANSPORT].close()
                await gone
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await parts.aclose()


async def _gave_up(receive: Receive, seconds: float) -> bool:
    """Wait; say whether the client went away meanwhile."""
    gone = asyncio.ensure_future(receive())  # the body has been read, so what comes next is the end
    try:
        await asyncio.wait({gone}, timeout=seconds)
        return gone.done()
    finally:
        gone.cancel()


async def _abort(scope: Scope, receive: Receive, entry: dict[str, Any] | None, when: str) -> None:
    """Drop the connection without a byte of answer."""
    if entry is not None:
        entry["cut"] = when
    scope[TRANSPORT].abort()
    while (await receive())["type"] != "http.disconnect":
        pass
