"""Accounts as rows: finding them, their keys, the operations that are under way on them.

Owns what the data plane and the ARM files share about accounts. What ARM says about them is in apis/.
"""

from __future__ import annotations

import hmac
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asstops.emulator import ids, keys
from asstops.emulator.state import State
from asstops.emulator.store import dump, load

if TYPE_CHECKING:
    from asstops.emulator.faults import Fault

DEFAULT = "emulator"
_SELECT = (
    "SELECT row, name, group_name, path, subdomain, deleted_at, purge_at, revision1, revision2, held, pristine, body "
    "FROM account"
)


@dataclass(slots=True)
class Account:
    """One account, live or soft-deleted."""

    row: int
    name: str
    group: str
    path: str
    subdomain: str | None
    deleted_at: float | None
    purge_at: float | None
    revision1: int
    revision2: int
    held: dict[str, int]
    pristine: bool
    body: dict[str, Any]

    @property
    def location(self) -> str:
        return location_key(self.body["location"])

    @property
    def provisioning(self) -> str:
        return str(self.body["properties"]["provisioningState"])

    def key(self, subscription_id: str, slot: int) -> str:
        scope = keys.key_scope(subscription_id, self.group, self.name)
        return keys.account_key(scope, slot, self.revision1 if slot == 1 else self.revision2)

    def accepts(self, subscription_id: str, key: str) -> bool:
        wanted = key.encode("utf-8", "replace")
        return any(hmac.compare_digest(self.key(subscription_id, slot).encode(), wanted) for slot in (1, 2))


def _account(row: Any) -> Account:
    values = list(row)
    values[-3:] = json.loads(values[-3]), bool(values[-2]), load(values[-1])
    return Account(*values)


def find(state: State, group: str, name: str) -> Account | None:
    """Return the account of that name, soft-deleted ones included; names are case-insensitive."""
    row = state.store.one(_SELECT + " WHERE group_key = ? AND name_key = ?", group.lower(), name.lower())
    return _account(row) if row else None


def by_row(state: State, row: int) -> Account:
    return _account(state.store.one(_SELECT + " WHERE row = ?", row))


def by_path(state: State, path: str) -> Account | None:
    """Return the live account that is served under this path prefix."""
    row = state.store.one(_SELECT + " WHERE path = ? AND deleted_at IS NULL", path.lower())
    return _account(row) if row else None


def select(state: State, where: str = "1", *args: Any) -> list[Account]:
    """Return accounts, oldest first; `where` is SQL of this package, never of a request."""
    return [_account(row) for row in state.store.all(f"{_SELECT} WHERE {where} ORDER BY row", *args)]


def save(state: State, account: Account) -> None:
    """Write an account back; from then on it counts as changed."""
    account.pristine = False
    state.store.run(
        "UPDATE account SET subdomain = ?, deleted_at = ?, purge_at = ?, revision1 = ?, revision2 = ?, held = ?, "
        "pristine = 0, body = ? WHERE row = ?",
        account.subdomain, account.deleted_at, account.purge_at, account.revision1, account.revision2,
        json.dumps(account.held), dump(account.body), account.row,
    )  # fmt: skip


def insert(state: State, name: str, group: str, body: dict[str, Any], *, path: str, pristine: bool = False) -> Account:
    subdomain = body["properties"].get("customSubDomainName")
    state.store.run(
        "INSERT INTO account (name, name_key, group_name, group_key, location_key, path, subdomain, created, "
        "pristine, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        name, name.lower(), group, group.lower(), location_key(body["location"]), path.lower(),
        subdomain.lower() if subdomain else None, state.now(), int(pristine), dump(body),
    )  # fmt: skip
    found = find(state, group, name)
    assert found is not None
    return found


def erase(state: State, row: int) -> None:
    """Remove an account and everything in it for good; its operations stay, to be followed to their end."""
    store = state.store
    store.run("DELETE FROM batch_file WHERE batch IN (SELECT id FROM object WHERE account = ?)", row)
    for table in ("deployment", "object", "reference", "store_file", "chunk"):
        store.run(f"DELETE FROM {table} WHERE account = ?", row)  # noqa: S608 - names from the line above
    store.run("DELETE FROM gone WHERE account = ?", row)
    store.run("DELETE FROM account WHERE row = ?", row)


def location_key(location: str) -> str:
    """Return a location as Azure compares it: "Sweden Central" and "swedencentral" are one."""
    return location.replace(" ", "").lower()


# Long-running operations --------------------------------------------------------------------------------


def begin_operation(state: State, account: int, target: str, action: str, fault: Fault | None) -> str:
    """Start an operation on an account and return its id; `action` names the finisher that ends it."""
    ident, now = ids.guid(), state.now()
    wanted = fault.operation if fault else None
    due = math.inf if wanted == "stuck" else now + state.settings.arm_operation_s
    state.store.run(
        "INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?, 'InProgress', ?)",
        ident, account, target, action, now, due, "Failed" if wanted == "fail" else "Succeeded",
        fault.error_code if fault and wanted == "fail" else None,
    )  # fmt: skip
    state.wake(due)
    return ident


def is_busy(state: State, account: int) -> bool:
    """Say whether an operation on the account has not ended."""
    found = state.store.one("SELECT 1 FROM operation WHERE account = ? AND status = 'InProgress'", account)
    return found is not None
