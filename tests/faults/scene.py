"""Where one operation is carried out under a fault: the stack of a service, an emulator, what should come of it."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from tests.support.forked import go_back, remembered
from tests.support.live import at_one_address, live_form, unrecorded, versions_for_nothing

from .conftest import DEPLOYMENT, RESOURCE, Ended, World
from .table import Fault, Where

Here = Callable[..., Ended]
Json = dict[str, Any]

NOTHING, FIRST = "nothing", "first"
PRUNED = 3  # the second edition, of which one version is to be kept
# operation -> what is live before, which edition of the spec, and the command
PLAYS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "create": (NOTHING, 1, ("apply", "-y")),
    "attach": (NOTHING, 1, ("apply", "-y")),
    "wait": (NOTHING, 1, ("apply", "-y")),
    "update": (FIRST, 2, ("apply", "-y")),
    "prune": (FIRST, PRUNED, ("apply", "-y")),
    "look": (FIRST, 2, ("apply", "-y")),
    "read": (FIRST, 1, ("plan", "--detailed-exitcode")),
    "delete": (FIRST, 1, ("destroy", "-y")),
}
_SHARED = {
    "resource": "accounts",
    "deployment": "deployments",
    "file": "files",
    "vector_store": "vector_stores",
}
SECTIONS = {
    "assistants": {**_SHARED, "assistant": "assistants"},
    "agents": {**_SHARED, "project": "projects", "assistant": "agents"},
}


def spec(service: str, edition: int) -> Json:
    """One of every kind; the second edition changes something in each."""
    number = min(edition, 2)
    resource = {**RESOURCE, "tags": {"edition": str(number)}}
    if service == "agents":
        resource |= {"kind": "AIServices", "project": {"name": "sales", "display_name": f"Sales {number}"}}
    return {
        "stack": "demo",
        "service": service,
        "resource": resource,
        "deployments": {"gpt-4o": {**DEPLOYMENT, "sku": {"name": "GlobalStandard", "capacity": number}}},
        "files": {"faq": {"path": "faq.md"}},
        "vector_stores": {"kb": {"name": f"kb {number}", "files": ["faq"]}},
        "assistants": {
            "bot": {
                "model": "gpt-4o",
                "instructions": f"Edition {number}.",
                "tools": [{"file_search": {"vector_store": "kb"}}, {"code_interpreter": {"files": ["faq"]}}],
                **({"keep_versions": 1} if edition == PRUNED else {}),
            }
        },
    }


class Moments:
    """What was live at some moments of an undisturbed life, found out once for each service."""

    def __init__(self) -> None:
        self.starts: dict[tuple[str, str], sqlite3.Connection] = {}
        self.forms: dict[tuple[str, str], Json] = {}

    def close(self) -> None:
        for start in self.starts.values():
            start.close()


class Scene:
    """One operation of one service, begun from where it has to begin."""

    def __init__(self, world: World, here: Here, moments: Moments, service: str, operation: str) -> None:
        self.world, self._here, self._moments, self._service = world, here, moments, service
        self._start, self._edition, self.command = PLAYS[operation]
        self._operation = operation
        self._undisturbed()
        self.begin()

    def _undisturbed(self) -> None:
        """Find out, on first use, how things are before and after without a fault."""
        starts, forms, service = self._moments.starts, self._moments.forms, self._service
        if (service, NOTHING) not in starts:
            self.world.admin("POST", "/reset")
            starts[service, NOTHING] = self._remember()
            forms[service, NOTHING] = self.form()
            self._write(1)
            ended = self.run("apply", "-y")
            assert ended.code == 0, ended
            starts[service, FIRST] = self._remember()
            forms[service, FIRST] = self.form()
        key = (service, " ".join((self._start, str(self._edition), *self.command)))
        if key not in forms:
            self.begin()
            assert self.run(*self.command).code == 0
            forms[key] = self.form()
        self.after = forms[key]
        self.before = forms[service, self._start]

    def _remember(self) -> sqlite3.Connection:
        return remembered(self.world.server)

    def begin(self) -> None:
        """Go to where the operation begins."""
        self.world.clear()
        go_back(self.world.server, self._moments.starts[self._service, self._start])
        self._write(self._edition)

    def _write(self, edition: int) -> None:
        self.world.spec(**spec(self._service, edition))
        self.world.write("faq.md", f"Edition {min(edition, 2)}.\n")

    def strike(self, where: Where, fault: Fault, **over: Any) -> str:
        """Set a fault on a request; returns the path with the ids in it."""
        does = dict(fault.does)
        if "headers" in does:
            late = {"{in 200 s}": formatdate(time.time() + 200, usegmt=True)}
            does["headers"] = {name: late.get(value, value) for name, value in does["headers"].items()}
        path = re.sub(r"{(\w+)}", lambda found: self._id(found[1]), where.path)
        count = {"count": 0} if fault.for_ever else {}
        self.world.fault(**{**count, "method": where.method, "path": path, "nth": where.nth, **does, **over})
        return path

    def _id(self, what: str) -> str:
        live = self.world.dump()
        if what == "assistant":
            return str(live["assistants"][0]["id"])
        return str(next(s["id"] for s in live["vector_stores"] if s["name"].startswith("asstops:") == (what == "page")))

    def run(self, *args: str) -> Ended:
        return self._here(self.world, *args)

    def form(self) -> Json:
        return live_form(self.world.dump())

    def struck(self) -> list[int]:
        """How often each fault has struck."""
        return [fault["struck"] for fault in self.world.admin("GET", "/faults")["faults"]]

    def lost_files(self) -> list[str]:
        """Ids of live files that no record knows."""
        return list(unrecorded(self.world.dump()))

    def check_single(self) -> None:
        """Nothing is there twice."""
        live = self.world.dump()
        assert at_one_address(live) == {}
        assert versions_for_nothing(live) == []
        assert len(live["assistants"]) + len(live["agents"]) <= 1
        assert len(live["vector_stores"]) <= 2
        assert len(live["accounts"]) <= 1

    def check_settled(self) -> Ended:
        """Doing it again without faults changes nothing, and sends no writing request."""
        self.world.clear()
        again = self.command if self._operation == "delete" else ("plan", "--detailed-exitcode")
        ended = self.run(*again)
        assert ended.code == 0, ended
        assert self.world.writes() == []
        return ended

    def check_converges(self) -> None:
        """Without the fault the same command ends in the undisturbed state."""
        self.world.clear()
        ended = self.run(*self.command)
        assert ended.code == 0, ended
        assert self.form() == self.after
        self.check_settled()
