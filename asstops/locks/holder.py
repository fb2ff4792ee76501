"""Who holds a lock: told to whoever waits for it. Written by one process and read by others, so it is not trusted."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Holder:
    """One process. `since` is UTC, `command` without its arguments, which may hold secrets."""

    user: str
    host: str
    pid: int
    since: str
    command: str

    @classmethod
    def here(cls, command: str) -> Holder:
        """This process, from now on."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError, ImportError):  # a container may run as a number without a name
            user = "unknown"
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
        return cls(user, socket.gethostname(), os.getpid(), now, command)

    @classmethod
    def from_json(cls, text: str | bytes) -> Holder | None:
        """Read what `to_json` wrote; None for anything else."""
        try:
            data = json.loads(text)
            values = {field.name: data[field.name] for field in fields(cls)}
        except (ValueError, KeyError, TypeError):
            return None
        pid = values.pop("pid")
        if type(pid) is not int or not all(isinstance(value, str) for value in values.values()):
            return None
        return cls(pid=pid, **{name: value[:_LONGEST] for name, value in values.items()})

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=True)

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}), running '{self.command}' since {self.since}"
