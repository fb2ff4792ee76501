"""What the files of the data plane share: surfaces, common checks, lists, refusals.

Owns conventions of the wire that hold for every kind of object. It knows no single API.
"""

from __future__ import annotations

from typing import Any

from asstops.emulator import checks
from asstops.emulator.checks import Check
from asstops.emulator.wire import Call, Json, Refusal

OLD, NEW, V1 = "2024-05-01-preview", "2025-03-01-preview", "v1"
DATED = frozenset({OLD, NEW})
ALL = frozenset({OLD, NEW, V1})
AGENTS = "agents"  # the surface of a project that is not OpenAI's

METADATA: Check = checks.mapping(checks.string(longest=512), most=16, key_longest=64, nullable=True)
METADATA_V1: Check = checks.mapping(checks.string(longest=512), most=16, key_longest=64)


def resource_not_found() -> Refusal:
    """What the gateway answers to a path or an api-version that it does not know."""
    return Refusal(
        404, "Resource not found", code="404", body={"error": {"code": "404", "message": "Resource not found"}}
    )


def no_such(what: str, ident: str, *, status: int = 404, param: str | None = None) -> Refusal:
    return Refusal(status, f"No {what} found with id '{ident}'.", param=param)


def body_of(call: Call, check: Check) -> Json:
    """Return the body after checking it against its contract."""
    body = call.json()
    check(body, "")
    return body


def merged_metadata(call: Call, old: Json, new: Json | None) -> Json:
    """Return the metadata after a modify; null clears it."""
    if new is None:
        return {}
    if call.state.on("metadata_modify") == "merge":
        result = {**old, **new}
        METADATA(result, "metadata")
        return result
    return new


class Page:
    """The list parameters of a request, checked."""

    def __init__(self, call: Call) -> None:
        self.limit = _limit(call)
        order = call.one("order") or "desc"
        checks.choice(("asc", "desc"))(order, "order")
        self.order = order
        self.after, self.before = call.one("after"), call.one("before")


def _limit(call: Call) -> int:
    text = call.one("limit")
    if text is None:
        return 20
    try:
        value = int(text)
    except ValueError:
        raise checks.wrong_type("limit", "an integer", text) from None
    checks.number(1, 100, whole=True)(value, "limit")
    return value


def page_of(
    call: Call, table: str, columns: str, scope: tuple[Any, ...], where: str = "", *args: Any, key: str = "id"
) -> tuple[list[Any], bool]:
    """Return the rows of one page of a list, and whether there are more.

    `scope` is a condition and its values: its rows can be named as cursors, by their `key`, also those that `where`
    leaves out.
    """
    page, store, source = Page(call), call.state.store, listed(call, table)
    within, *values = scope

    def row_of(ident: str | None, name: str) -> int | None:
        if ident is None:
            return None
        row = store.one(f"SELECT max(seq) FROM {source} WHERE {within} AND {key} = ?", *values, ident)  # noqa: S608
        if row[0] is None:
            raise bad_cursor(name, ident)
        return int(row[0])

    after, before = row_of(page.after, "after"), row_of(page.before, "before")
    moment = call.listed_at()
    if moment is not None:
        where, args = f"{where} AND created <= ?", (*args, moment)
    return store.keyset(
        f"SELECT {columns} FROM {source}",  # noqa: S608 - names of this package
        within + where, (*values, *args), order=page.order, limit=page.limit, after=after, before=before,
    )  # fmt: skip


def listed(call: Call, table: str) -> str:
    """Return what a list reads in SQL: the table, or with a lag what it held then."""
    moment = call.listed_at()
    return table if moment is None else call.state.store.as_of(table, moment)


def list_of(call: Call, kind: str, where: str = "", *args: Any) -> tuple[list[str], bool]:
    """Return one page of the stored bodies of a kind, as text, and whether there are more; `where` narrows it."""
    scope = ("account = ? AND kind = ?", call.account, kind)
    rows, more = page_of(call, "object", "body", scope, where, *args)
    return [row[0] for row in rows], more


def bad_cursor(name: str, ident: str) -> Refusal:
    return Refusal(400, f"Invalid '{name}': no object found with id '{ident}'.", code="invalid_value", param=name)


def envelope(call: Call, data: list[Json], more: bool) -> Json:
    """Return a list answer."""
    empty = "" if call.state.on("empty_list_ids") == "empty" else None
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else empty,
        "last_id": data[-1]["id"] if data else empty,
        "has_more": more,
    }


def without_absent(call: Call, body: Json, names: tuple[str, ...]) -> Json:
    """Leave out the named fields that have no value, unless the service is to answer null."""
    if call.state.on("absent_fields") == "left_out":
        return {name: value for name, value in body.items() if value is not None or name not in names}
    return body


def seconds(moment: float) -> int:
    return int(moment)


def known_files(call: Call, idents: list[str], param: str) -> None:
    """Refuse ids of files that do not exist."""
    for ident in call.state.store.missing(call.account, "file", idents):
        raise no_such("file", ident, status=400, param=param)
