"""Files, on every surface.

Owns upload, listing, content and deletion, and what a deletion takes with it. Azure gives a file neither
metadata nor a checksum, lists with `purpose` only, and does not hand out what was uploaded for assistants.
"""

from __future__ import annotations

import math
import re

from asstops.emulator import data, ids
from asstops.emulator.checks import Invalid, choice, number
from asstops.emulator.multipart import LARGEST_FILE
from asstops.emulator.projects import shown_owner
from asstops.emulator.state import State
from asstops.emulator.store import load
from asstops.emulator.wire import Call, Json, Refusal, Reply, Route, Upload

PURPOSES = ("assistants", "batch", "fine-tune", "evals")
_CHUNK = 1024 * 1024
_DAY_S = 86_400


def create(call: Call) -> Reply:
    upload, fields = _form(call)
    choice(PURPOSES)(fields.get("purpose"), "purpose")
    expires_in = _expiry(fields)
    if upload.size > LARGEST_FILE:
        raise Refusal(400, "The file is too large: at most 512 MB are allowed.", code="file_too_large", param="file")
    if upload.size == 0:
        raise Refusal(400, "The file is empty.", code="invalidPayload", param="file")
    if not upload.filename:
        raise Refusal(400, "The file has no name.", code="invalidPayload", param="file")
    state, now = call.state, call.state.now()
    ident = ids.fresh("assistant-", 22) if fields["purpose"] == "assistants" else f"file-{ids.guid().replace('-', '')}"
    name = upload.filename.replace("%22", '"') if state.on("filename_quotes") == "decoded" else upload.filename
    _unlike_others(call, name, fields["purpose"])
    body: Json = {
        "object": "file",
        "id": ident,
        "purpose": fields["purpose"],
        "filename": name,
        "bytes": upload.size,
        "created_at": data.seconds(now),
        "expires_at": data.seconds(now) + expires_in if expires_in else None,
        "status": "processed",
        "status_details": None,
    }
    state.store.add(call.account, "file", ident, now, body, body["expires_at"])
    n = 0
    while chunk := upload.read(_CHUNK):
        state.store.run("INSERT INTO chunk VALUES (?, ?, ?, ?)", call.account, ident, n, chunk)
        n += 1
    if body["expires_at"]:
        state.wake(body["expires_at"])
    return Reply(_shown(call, body))


def _unlike_others(call: Call, name: str, purpose: str) -> None:
    """Refuse a second file of one name, where the service is to do so."""
    if call.state.on("same_filename") == "refused" and any(
        body["filename"] == name and body["purpose"] == purpose for body in call.state.store.each(call.account, "file")
    ):
        raise Refusal(400, f"A file with the name '{name}' exists already.", code="invalidPayload", param="file")


def _form(call: Call) -> tuple[Upload, dict[str, str]]:
    if call.fields is None:
        raise Refusal(415, "The body must be multipart form data.", code="unsupported_media_type")
    allowed = {"purpose", "expires_after[anchor]", "expires_after[seconds]"}
    if call.surface == data.OLD:
        allowed = {"purpose"}
    upload: Upload | None = None
    fields: dict[str, str] = {}
    for name, value in call.fields:
        if isinstance(value, Upload):
            if name != "file" or upload is not None:
                raise Invalid(name, "unknown_parameter", f"Unknown parameter: '{name}'.")
            upload = value
        elif name not in allowed:
            raise Invalid(name, "unknown_parameter", f"Unknown parameter: '{name}'.")
        else:
            fields[name] = value
    for name, present in (("file", upload is not None), ("purpose", "purpose" in fields)):
        if not present:
            raise Invalid(name, "missing_required_parameter", f"Missing required parameter: '{name}'.")
    assert upload is not None
    return upload, fields


def _expiry(fields: dict[str, str]) -> int | None:
    anchor, text = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]")
    if anchor is None and text is None:
        return None
    choice(("created_at",))(anchor, "expires_after[anchor]")
    number(3600, 30 * _DAY_S, whole=True)(
        int(text) if text and re.fullmatch(r"-?\d{1,18}", text) else text, "expires_after[seconds]"
    )
    return int(text or 0)


def list_(call: Call) -> Reply:
    """All files at once: Azure documents neither limit nor cursors here."""
    purpose, state = call.one("purpose"), call.state
    moment = call.listed_at()
    rows = state.store.all(
        f"SELECT body FROM {data.listed(call, 'object')} WHERE account = ? AND kind = 'file' AND created <= ? "  # noqa: S608 - constants
        "ORDER BY seq",
        call.account, state.now() if moment is None else moment,
    )  # fmt: skip
    bodies = [load(row[0]) for row in rows]
    found = [_shown(call, body) for body in bodies if purpose is None or body["purpose"] == purpose]
    answer = data.envelope(call, found, state.on("files_has_more") == "true")
    if state.on("files_has_more") == "left_out":
        del answer["has_more"]
    return Reply(answer)


def get(call: Call) -> Reply:
    return Reply(_shown(call, _found(call)))


def content(call: Call) -> Reply:
    body = _found(call)
    if body["purpose"] == "assistants" and call.state.on("assistants_content") == "refused":
        raise Refusal(400, "Not allowed to download files of purpose: assistants")
    return Reply(content_of(call.state, call.account, body["id"]), media_type="application/octet-stream")


def content_of(state: State, account: int, ident: str) -> bytes:
    rows = state.store.all("SELECT data FROM chunk WHERE account = ? AND file = ? ORDER BY n", account, ident)
    return b"".join(row[0] for row in rows)


def delete(call: Call) -> Reply:
    ident = _found(call)["id"]
    remove(call.state, call.account, ident)
    return Reply({"id": ident, "object": "file", "deleted": True})


def remove(state: State, account: int, ident: str) -> None:
    """Delete a file everywhere: out of every vector store and every code_interpreter list."""
    store = state.store
    store.run("DELETE FROM store_file WHERE account = ? AND file = ?", account, ident)
    store.run("DELETE FROM chunk WHERE account = ? AND file = ?", account, ident)
    for source in store.referrers(account, ident):
        for kind in ("assistant", "thread"):
            body = store.get(account, kind, source)
            listed = ((body or {}).get("tool_resources") or {}).get("code_interpreter")
            if body and listed:
                listed["file_ids"] = [other for other in listed.get("file_ids", []) if other != ident]
                store.put(account, kind, source, body)
    store.run("DELETE FROM reference WHERE account = ? AND target = ?", account, ident)
    store.drop(account, "file", ident)


def _found(call: Call) -> Json:
    ident = call.params["file_id"]
    body = call.state.store.get(call.account, "file", ident)
    if body is None:
        raise data.no_such("file", ident, param="id")
    return body


def _shown(call: Call, body: Json) -> Json:
    return data.without_absent(call, body, ("expires_at", "status_details"))


def expire(state: State, now: float) -> float:
    """Delete files whose time is up; return when the next one's is."""
    gone = state.store.all("SELECT account, id FROM object WHERE kind = 'file' AND expires <= ?", now)
    for account, ident in gone:
        remove(state, account, ident)
    found = state.store.one("SELECT min(expires) FROM object WHERE kind = 'file' AND expires IS NOT NULL")
    return math.inf if found[0] is None else float(found[0])


def dump(state: State) -> list[Json]:
    rows = state.store.all(
        "SELECT owner.account, owner.project, object.body FROM object JOIN owner ON owner.row = object.account "
        "WHERE kind = 'file' AND deleted_at IS NULL ORDER BY seq"
    )
    return [{**shown_owner(account, project), **load(body)} for account, project, body in rows]


UPKEEP = [expire]
DUMP = {"files": dump}
ROUTES = [
    Route("data", "POST", "/files", create, action="files/write"),
    Route("data", "GET", "/files", list_, action="files/read"),
    Route("data", "GET", "/files/{file_id}", get, action="files/read"),
    Route("data", "DELETE", "/files/{file_id}", delete, action="files/delete"),
    Route("data", "GET", "/files/{file_id}/content", content, action="files/read"),
]
