"""Everything the emulator remembers, in one SQLite database.

Owns the schema and the general operations on it: transactions, objects by kind, keyset pages. What the
bodies mean is the API files' business. Neither keys nor tokens are ever written here.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from asstops.emulator.settings import EmulatorError

FORMAT = "1"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS account (
    row INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, name_key TEXT NOT NULL,
    group_name TEXT NOT NULL, group_key TEXT NOT NULL, location_key TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE, subdomain TEXT UNIQUE, created REAL NOT NULL, deleted_at REAL, purge_at REAL,
    revision1 INTEGER NOT NULL DEFAULT 0, revision2 INTEGER NOT NULL DEFAULT 0,
    held TEXT NOT NULL DEFAULT '{}', pristine INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL,
    UNIQUE (group_key, name_key));
CREATE TABLE IF NOT EXISTS deployment (
    row INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, name TEXT NOT NULL,
    name_key TEXT NOT NULL, pristine INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL,
    UNIQUE (account, name_key));
CREATE TABLE IF NOT EXISTS operation (
    id TEXT PRIMARY KEY, account INTEGER NOT NULL, target TEXT NOT NULL, action TEXT NOT NULL,
    started REAL NOT NULL, due REAL NOT NULL, outcome TEXT NOT NULL, status TEXT NOT NULL, error TEXT);
CREATE INDEX IF NOT EXISTS operation_open ON operation (account) WHERE status = 'InProgress';
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    created REAL NOT NULL, expires REAL, body TEXT NOT NULL, UNIQUE (account, kind, id));
CREATE INDEX IF NOT EXISTS object_expires ON object (kind, expires) WHERE expires IS NOT NULL;
CREATE INDEX IF NOT EXISTS object_order ON object (account, kind, seq);
CREATE TABLE IF NOT EXISTS reference (account INTEGER NOT NULL, target TEXT NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (account, target, source)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reference_source ON reference (account, source);
CREATE TABLE IF NOT EXISTS store_file (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, store TEXT NOT NULL, file TEXT NOT NULL,
    created REAL NOT NULL, due REAL NOT NULL, outcome TEXT NOT NULL, status TEXT NOT NULL,
    usage INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL, UNIQUE (store, file));
CREATE INDEX IF NOT EXISTS store_file_order ON store_file (store, seq);
CREATE INDEX IF NOT EXISTS store_file_status ON store_file (store, status, seq, usage);
CREATE INDEX IF NOT EXISTS store_file_due ON store_file (due) WHERE status = 'in_progress';
CREATE INDEX IF NOT EXISTS store_file_file ON store_file (account, file);
CREATE TABLE IF NOT EXISTS batch_file (batch TEXT NOT NULL, file TEXT NOT NULL,
    PRIMARY KEY (batch, file)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gone (account INTEGER NOT NULL, kind TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL,
    created REAL NOT NULL, deleted REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, kind, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gone_file (store TEXT NOT NULL, seq INTEGER NOT NULL, file TEXT NOT NULL,
    created REAL NOT NULL, deleted REAL NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL,
    usage INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (store, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunk (account INTEGER NOT NULL, file TEXT NOT NULL, n INTEGER NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (account, file, n));
CREATE VIEW IF NOT EXISTS owner AS SELECT row, name AS account, NULL AS project, deleted_at FROM account
    UNION ALL SELECT -object.seq, account.name, json_extract(object.body, '$.name'), account.deleted_at
    FROM object JOIN account ON account.row = object.account WHERE object.kind = 'project';
"""

_PAST = {
    "object": ("seq, account, kind, id, created, body", "gone"),
    "store_file": ("seq, store, file, created, status, outcome, usage, body", "gone_file"),
}
# What has been deleted is remembered for lists that lag. The triggers are temporary: they belong to the connection,
# whose clock they read, and not to the file.
_REMEMBER = """
CREATE TEMP TRIGGER object_gone AFTER DELETE ON main.object
    WHEN OLD.kind IN ('assistant', 'vector_store', 'file', 'project', 'agent') OR OLD.kind GLOB 'message/*'
    OR OLD.kind GLOB 'agent_version/*' BEGIN
    INSERT INTO gone VALUES (OLD.account, OLD.kind, OLD.seq, OLD.id, OLD.created, clock(), OLD.body); END
--
CREATE TEMP TRIGGER deployment_gone AFTER DELETE ON main.deployment BEGIN
    INSERT INTO gone VALUES (OLD.account, 'deployment', OLD.row, OLD.name, 0, clock(), OLD.body); END
--
CREATE TEMP TRIGGER file_gone AFTER DELETE ON main.store_file BEGIN
    INSERT INTO gone_file VALUES (OLD.store, OLD.seq, OLD.file, OLD.created, clock(), OLD.status, OLD.outcome,
        OLD.usage, OLD.body); END
"""


class Store:
    """One connection, used by one thread at a time. `path` None keeps everything in memory.

    `clock` tells when a deletion happens, in seconds since the epoch.
    """

    clock: Callable[[], float] = staticmethod(time.time)

    def __init__(self, path: Path | None) -> None:
        self.path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(
            str(path) if path else ":memory:", timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self.db.close()
            if "locked" in str(error):
                raise EmulatorError(f"{path} is in use by another emulator; stop it or use another file") from error
            raise EmulatorError(f"{path} is not an emulator database: {error}") from error
        except EmulatorError:
            self.db.close()
            raise

    def _open(self) -> None:
        # Exclusive mode holds the file's lock until the process ends, so that a second emulator on the same
        # file is refused; a crash of the process loses nothing even without syncs.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF", "temp_store=MEMORY"):
            self.db.execute(f"PRAGMA {pragma}").fetchall()
        self.db.execute("BEGIN EXCLUSIVE")
        for statement in _SCHEMA.split(";"):
            self.db.execute(statement)
        found = self.one("SELECT value FROM meta WHERE key = 'format'")
        if found is None:
            self.db.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
        elif found[0] != FORMAT:
            raise EmulatorError(f"{self.path} has format {found[0]}, this emulator reads {FORMAT}; delete the file")
        self.db.create_function("clock", 0, lambda: self.clock())
        for statement in _REMEMBER.split("--"):
            self.db.execute(statement)
        self.db.execute("COMMIT")

    def close(self) -> None:
        self.db.close()

    # Statements ------------------------------------------------------------------------------------------

    def run(self, sql: str, *args: Any) -> int:
        """Run a statement and return the number of rows it changed."""
        return self.db.execute(sql, args).rowcount

    def one(self, sql: str, *args: Any) -> Any:
        return self.db.execute(sql, args).fetchone()

    def all(self, sql: str, *args: Any) -> list[Any]:
        return self.db.execute(sql, args).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.db.executemany(sql, rows)

    # Objects of an account, by kind ----------------------------------------------------------------------

    def add(
        self, account: int, kind: str, ident: str, created: float, body: dict[str, Any], expires: float | None = None
    ) -> None:
        self.run("INSERT INTO object (account, kind, id, created, expires, body) VALUES (?, ?, ?, ?, ?, ?)",
                 account, kind, ident, created, expires, dump(body))  # fmt: skip

    def get(self, account: int, kind: str, ident: str) -> dict[str, Any] | None:
        row = self.one("SELECT body FROM object WHERE account = ? AND kind = ? AND id = ?", account, kind, ident)
        return load(row[0]) if row else None

    def put(self, account: int, kind: str, ident: str, body: dict[str, Any]) -> None:
        self.run("UPDATE object SET body = ? WHERE account = ? AND kind = ? AND id = ?",
                 dump(body), account, kind, ident)  # fmt: skip

    def drop(self, account: int, kind: str, ident: str) -> bool:
        """Delete an object and what it refers to; say whether it was there."""
        self.run("DELETE FROM reference WHERE account = ? AND source = ?", account, ident)
        return self.run("DELETE FROM object WHERE account = ? AND kind = ? AND id = ?", account, kind, ident) > 0

    def each(self, account: int, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the bodies of one kind, oldest first."""
        rows = self.db.execute("SELECT body FROM object WHERE account = ? AND kind = ? ORDER BY seq", (account, kind))
        for row in rows:
            yield load(row[0])

    def missing(self, account: int, kind: str, idents: Sequence[str]) -> list[str]:
        """Return those of `idents` that do not exist, in their order."""
        return [
            ident
            for ident in idents
            if self.one("SELECT 1 FROM object WHERE account = ? AND kind = ? AND id = ?", account, kind, ident) is None
        ]

    def as_of(self, table: str, moment: float) -> str:
        """Return what to read, in SQL, instead of `object` or `store_file`: its rows and those deleted since `moment`.

        Bodies are as they are now, or were at the end; the caller leaves out what was made since.
        """
        columns, gone = _PAST[table]
        return (
            f"(SELECT {columns} FROM {table} UNION ALL "  # noqa: S608 - constants
            f"SELECT {columns} FROM {gone} WHERE deleted > {float(moment)!r}) AS {table}"
        )

    def forget(self, before: float) -> None:
        """Remember no longer what was deleted before a time."""
        for table in ("gone", "gone_file"):
            self.run(f"DELETE FROM {table} WHERE deleted < ?", before)  # noqa: S608 - names from the line above

    def refer(self, account: int, source: str, targets: Sequence[str]) -> None:
        """Record that `source` refers to exactly these targets."""
        self.run("DELETE FROM reference WHERE account = ? AND source = ?", account, source)
        self.many("INSERT OR IGNORE INTO reference VALUES (?, ?, ?)", [(account, t, source) for t in targets])

    def referrers(self, account: int, target: str) -> list[str]:
        rows = self.all("SELECT source FROM reference WHERE account = ? AND target = ?", account, target)
        return [row[0] for row in rows]

    def keyset(
        self, select: str, where: str, args: Sequence[Any], *, order: str, limit: int, after: int | None,
        before: int | None, column: str = "seq",
    ) -> tuple[list[Any], bool]:  # fmt: skip
        """Return one page of rows and whether there are more in the direction of travel.

        `after` and `before` are row numbers. With `before` alone the page is the one that ends just before it.
        """
        up = order == "asc"
        backwards = before is not None and after is None
        values = list(args)
        if after is not None:
            where += f" AND {column} {'>' if up else '<'} ?"
            values.append(after)
        if before is not None:
            where += f" AND {column} {'<' if up else '>'} ?"
            values.append(before)
        direction = "ASC" if up != backwards else "DESC"
        rows = self.all(f"{select} WHERE {where} ORDER BY {column} {direction} LIMIT ?", *values, limit + 1)
        more = len(rows) > limit
        rows = rows[:limit]
        return (rows[::-1] if backwards else rows), more


def load(text: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(text)
    return body


def dump(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
