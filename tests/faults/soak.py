"""One life of a stack: random edits, applied while requests go wrong and processes are killed.

At the end the last spec is applied once more, undisturbed. What is live then must be what the same spec makes of an
empty service. Everything is drawn from one seed.
"""

from __future__ import annotations

import random
import shutil
import signal
from typing import Any

from tests.support import full_stack
from tests.support.arena import Arena
from tests.support.forked import AFTER, BEFORE, Ended, Stop, Trap
from tests.support.live import (
    at_one_address,
    differing,
    live_form,
    newest,
    unrecorded,
    versions_for_nothing,
    without,
)

from .edits import Repository
from .others import foreign_objects, others_make

Json = dict[str, Any]
APPLY = ("apply", "-y", "--allow-deletes", "1000", "--ingest-timeout", "20")
TARGETS = (  # method, path: every request that asstops makes of the service of assistants
    ("PUT", "/accounts/[^/]+$"), ("PATCH", "/accounts/[^/]+$"), ("GET", "/accounts/[^/]+$"),
    ("PUT", "/deployments/"), ("PATCH", "/deployments/"), ("DELETE", "/deployments/"), ("GET", "/deployments"),
    ("GET", "/operationStatuses/"),
    ("POST", "/files$"), ("GET", "/files$"), ("DELETE", "/files/"),
    ("POST", "/vector_stores$"), ("GET", "/vector_stores$"), ("POST", "/vector_stores/[^/]+$"),
    ("DELETE", "/vector_stores/[^/]+$"), ("POST", "/file_batches$"), ("GET", "/file_batches/"),
    ("GET", "/vector_stores/[^/]+$"), ("GET", "/vector_stores/[^/]+/files$"),
    ("POST", "/assistants$"), ("GET", "/assistants$"), ("POST", "/assistants/"), ("DELETE", "/assistants/"),
    ("GET", "/assistants/"),
)  # fmt: skip
OF_AGENTS = (
    *(target for target in TARGETS if "assistants" not in target[1]),
    ("POST", "/versions$"), ("POST", "/versions$"), ("GET", "/versions$"), ("DELETE", "/versions/"),
    ("GET", "/agents$"), ("GET", "/agents/[^/]+$"), ("DELETE", "/agents/[^/]+$"),
    ("GET", "/projects$"), ("GET", "/projects/[^/]+$"), ("PUT", "/projects/[^/]+$"), ("PATCH", "/projects/[^/]+$"),
)  # fmt: skip
# How a request goes wrong. Left out: what never ends by itself (stuck), and reads that say something wrong of what is
# there (listings that lag, a 404), for then nobody can know what is live while a plan is made.
TROUBLES: tuple[Json, ...] = (
    {"status": 429, "headers": {"Retry-After": "0"}},
    {"status": 500}, {"status": 502}, {"status": 503, "headers": {"Retry-After": "0"}},
    {"status": 500, "commit": True}, {"status": 503, "commit": True},
    {"status": 400}, {"status": 404}, {"status": 409},
    {"cut": "before"}, {"cut": "after"}, {"garbage": True}, {"truncate": True}, {"delay_s": 0.02},
    {"token": "expired"},
)  # fmt: skip


class Life:
    """A stack from its first apply to its last. `log` is what happened, for whoever reads a failure."""

    def __init__(self, arena: Arena, service: str, seed: int) -> None:
        self.arena, self.chance, self.service = arena, random.Random(seed), service
        self.repository = Repository(self.chance, account=self.chance.random() < 0.7, service=service)
        self.log: list[str] = []
        self.foreign: Json = {}
        self.orphans: set[str] = set()

    def live(self) -> None:
        """Raises AssertionError with the log when anything is not as it should be."""
        self.arena.stage.reset()
        self.arena.forget()
        try:
            for _ in range(self.chance.randint(3, 6)):
                self._edit()
                self._disturbed()
            self._end()
        except AssertionError as error:
            raise AssertionError("\n".join([*self.log, "", str(error)])) from None

    def _edit(self) -> None:
        self.log += [f"  {self.repository.edit()}" for _ in range(self.chance.randint(0, 4))]
        self._write()

    def _write(self) -> None:
        for folder in ("kb", "data"):
            shutil.rmtree(self.arena.home / folder, ignore_errors=True)
        self.arena.stage.write(self.repository.spec, self.repository.files)

    # An apply that something happens to

    def _disturbed(self) -> None:
        args = (*APPLY, "--parallelism", str(self.chance.choice((1, 3, 10))))
        if self.chance.random() < 0.5:
            self.arena.forget()
        for fault in [self._fault() for _ in range(self.chance.choice((0, 0, 1, 2, 4)))]:
            self.log.append(f"  fault {fault}")
            self.arena.stage.admin("POST", "/faults", fault)
        trap = self._trap()
        ended = self.arena.run(*args, trap=trap)
        self.arena.stage.admin("DELETE", "/faults")
        self.log.append(f"{' '.join(args)} -> {ended.code}")
        self._check(ended)
        if ended.code == 0:
            self.repository.carried_out()
        else:
            self.repository.tried()
        self._by_others()

    def _fault(self) -> Json:
        if self.chance.random() < 0.1:
            what = self.chance.choice(("ingestion", "operation"))
            return {what: "fail", "nth": self.chance.randint(1, 3)}
        method, path = self.chance.choice(OF_AGENTS if self.service == "agents" else TARGETS)
        return {
            **self.chance.choice([trouble for trouble in TROUBLES if method != "GET" or trouble.get("status") != 404]),
            "method": method,
            "path": path,
            "nth": self.chance.randint(1, 3),
            "count": self.chance.choice((1, 1, 2, 6)),
        }

    def _trap(self) -> Trap | None:
        kind = self.chance.random()
        nth, when = self.chance.randint(1, 25), self.chance.choice((BEFORE, AFTER))
        if kind < 0.4:
            self.log.append(f"  SIGKILL {when} writing request {nth}")
            return Trap(nth, when, method="POST|PUT|PATCH|DELETE")
        if kind < 0.5:
            self.log.append(f"  SIGTERM at writing request {nth}")
            return Stop(nth, signal.SIGTERM, self.arena.nursery.err, method="POST|PUT|PATCH|DELETE")
        return None

    def _check(self, ended: Ended) -> None:
        """What holds at any time, however an apply ended."""
        assert ended.code in (0, 1, 3, 143, -signal.SIGKILL), ended
        assert "Traceback" not in ended.err, ended
        assert "unexpected " not in ended.out + ended.err, ended
        dump = self.arena.stage.dump()
        twice = {address: ids for address, ids in at_one_address(dump).items() if "#" not in address}
        again = versions_for_nothing(dump)
        assert not again, f"versions that were made for nothing: {again}"
        assert not twice, twice  # of pages of the record there may be two for a while; the end shows that both count
        others = {ident: item for ident, item in foreign_objects(dump).items() if ident in self.foreign}
        assert others == self.foreign, "what others have was touched"
        new = unrecorded(dump).keys() - self.orphans - self.foreign.keys()
        if new:
            self.log.append(f"  left: {sorted(new)}")
            folder = self.arena.elsewhere()
            plan = self.arena.run("plan", "--format", "json", folder=folder)
            assert plan.code == 0, plan
            assert "may be left from it" in plan.out, plan
            shown = self.arena.run("gc", "--dry-run", "--format", "json", folder=folder)  # a plan names the first few
            assert shown.code == 0, shown
            untold = [ident for ident in new if ident not in shown.out]
            assert not untold, f"files that nobody tells of: {untold}\n{shown}"
            self.orphans |= new

    def _by_others(self) -> None:
        """Others put things of the same names into the account, once."""
        dump = self.arena.stage.dump()
        if self.foreign or self.chance.random() < 0.5:
            return
        home, model = "", "gpt-4o"
        if self.service == "agents":
            home = "/api/projects/emulator"
        if self.repository.account:
            if not dump["deployments"] or dump["accounts"][0]["properties"]["provisioningState"] != "Succeeded":
                return
            home, model = f"/{full_stack.NAME}", dump["deployments"][0]["name"]
            if self.service == "agents":
                if not dump["projects"] or dump["projects"][0]["properties"]["provisioningState"] != "Succeeded":
                    return
                home += "/api/projects/sales"
        others_make(self.arena.stage, self.service, "a.md", "a", "a", home=home, model=model)
        self.foreign = foreign_objects(self.arena.stage.dump())
        self.log.append("  others made things of their own")

    # The last apply, and the same spec on an empty service

    def _end(self) -> None:
        arena = self.arena
        arena.forget()
        if self.service == "agents":
            self.repository.let_go()
            self._write()
        ended = arena.run(*APPLY)
        self.log.append(f"the last apply -> {ended.code}")
        assert ended.code == 0, ended
        self._check(ended)
        arena.check_settled()
        dump = arena.stage.dump()
        orphans = unrecorded(dump).keys() & self.orphans
        lived = newest(live_form(without(dump, {*orphans, *self.foreign})))
        arena.stage.reset()
        arena.forget()
        arena.must(*APPLY)
        fresh = newest(live_form(arena.stage.dump()))
        differs = differing(fresh, _alike(lived, fresh, bool(orphans)))
        assert not differs, f"on an empty service | after this life: {differs}"


def _alike(lived: Json, fresh: Json, orphans: bool) -> Json:
    """What may differ: entries of files that are gone, and a note while files may be left over."""
    record = lived["record"]
    if orphans:
        record = [(name, stack, key, False, *rest) for name, stack, key, _note, *rest in record]
        record = [page for page in record if page in fresh["record"] or page[-1]]  # a page for the note alone
    return {**lived, "record": record, "dead_entries": 0}
