"""Projects of an account as rows: finding them, and the place where their data lies.

Owns what ARM and the project endpoint share. A project is an object of its account; what it holds itself (agents,
files, vector stores, conversations) is kept apart from the account's under a number of its own, its scope. Scopes
are negative, so that none is the row of an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asstops.emulator.accounts import DEFAULT
from asstops.emulator.state import State
from asstops.emulator.store import load

KIND = "project"
_TABLES = ("object", "reference", "store_file", "chunk", "gone")
_SELECT = "SELECT seq, account, body FROM object WHERE kind = 'project'"


@dataclass(slots=True)
class Project:
    """One project. `account` is the row of its account."""

    scope: int
    account: int
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def provisioning(self) -> str:
        return str(self.body["properties"]["provisioningState"])


def _project(row: Any) -> Project:
    return Project(-row[0], row[1], load(row[2]))


def find(state: State, account: int, name: str) -> Project | None:
    """Return the project of that name; names are case-insensitive."""
    row = state.store.one(f"{_SELECT} AND account = ? AND id = ?", account, name.lower())
    return _project(row) if row else None


def of_account(state: State, account: int) -> list[Project]:
    """Return the projects of an account, oldest first."""
    return [_project(row) for row in state.store.all(f"{_SELECT} AND account = ? ORDER BY seq", account)]


def default_of(state: State, account: int, wanted: str | None) -> str | None:
    """Return the name of the default project: the one that the account names, else the oldest."""
    names = [project.name for project in of_account(state, account)]
    return next((name for name in names if wanted and name.lower() == wanted.lower()), names[0] if names else None)


def insert(state: State, account: int, body: dict[str, Any]) -> Project:
    """Keep a new project; `body` has its name."""
    state.store.add(account, KIND, body["name"].lower(), state.now(), body)
    found = find(state, account, body["name"])
    assert found is not None
    return found


def save(state: State, project: Project) -> None:
    """Write a project back; from then on it counts as changed."""
    project.body["pristine"] = False
    state.store.put(project.account, KIND, project.name.lower(), project.body)


def erase(state: State, project: Project) -> None:
    """Remove a project and everything in it for good."""
    store = state.store
    store.run("DELETE FROM batch_file WHERE batch IN (SELECT id FROM object WHERE account = ?)", project.scope)
    for table in _TABLES:
        store.run(f"DELETE FROM {table} WHERE account = ?", project.scope)  # noqa: S608 - names from the line above
    store.drop(project.account, KIND, project.name.lower())


def home(state: State, scope: int) -> int:
    """Return the row of the account whose deployments serve a scope; an account serves itself."""
    if scope > 0:
        return scope
    row = state.store.one("SELECT account FROM object WHERE seq = ?", -scope)
    return int(row[0]) if row else 0


def seed(state: State, account: int, made: dict[str, Any]) -> None:
    """Make the project of the default account; `made` is the account's body."""
    body = {key: made[key] for key in ("location", "tags", "identity", "systemData", "modified")}
    properties = {"provisioningState": "Succeeded"}
    insert(state, account, {"name": DEFAULT, **body, "properties": properties, "pristine": True})


def shown_owner(account: str, project: str | None) -> dict[str, str]:
    """Return whose an object of a dump is."""
    return {"account": account} if project is None else {"account": account, "project": project}
