"""asstops as a library: load a spec, plan, apply. What `import asstops` offers, and what the command line is made of.

Values go in and out: nothing is printed, asked or exited with. Errors are those of `asstops.errors`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asstops.errors import Locked, PartlyApplied, Problem, StalePlan, UsageError
from asstops.model import Address, Event, OnDrift, Plan, Report, Target

if TYPE_CHECKING:
    from asstops.hashcache import HashCache
    from asstops.journal import Journal
    from asstops.locks import Lock
    from asstops.providers.credentials import TokenSource
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.spec import Stack
    from asstops.workflow import Prepared

WAIT = "wait for it with --lock-timeout SECONDS; 'asstops unlock' shows it, and breaks it where that can be done"
AGAIN = "see with 'asstops unlock' who has the lock, then run again"


def _ignore(_event: Event) -> None:
    """For those who want to hear of nothing."""


def load(
    *files: Path | str,
    env: str = "",
    variables: Mapping[str, str] | None = None,
    var_files: Sequence[Path | str] = (),
    environ: Mapping[str, str] | None = None,
    folder: Path | str = ".",
) -> Stack:
    """Read and check a spec, offline.

    `files` are files or folders, `asstops.yaml` when there are none; those and `var_files` are taken from `folder`.
    `env` merges <name>.ENV.yaml over <name>.yaml. `variables` are what `--var` gives, `environ` is where
    ASSTOPS_VAR_NAME is looked for, by default the process's own. Raises SpecInvalid with every problem and its place.
    """
    from asstops import spec

    return spec.load(
        [Path(file) for file in files],
        env=env,
        variables=dict(variables or {}),
        var_files=[Path(file) for file in var_files],
        environ=os.environ if environ is None else environ,
        base=Path(folder),
    )


def plan(
    stack: Stack,
    *,
    targets: Sequence[str | Address] = (),
    destroy: bool = False,
    accept_origin: bool = False,
    on_drift: OnDrift | str = OnDrift.OVERWRITE,
    environ: Mapping[str, str] | None = None,
    folder: Path | str = ".",
) -> Planned:
    """Read live state and say what `apply` would change. Writes nothing.

    `destroy` plans what `destroy` would do, `targets` limits it to these addresses and what they need, `on_drift` says
    what becomes of what was changed outside asstops (overwrite, keep, fail). Raises UnsafePlan where something stands
    in the way, ProviderError where the service cannot be asked, UsageError for arguments that make no sense.
    """
    with connect(stack, environ=environ, folder=folder, destroying=destroy) as connection:
        return connection.planned(_How(_addresses(targets), destroy, accept_origin, _rule(on_drift)))


def apply(
    stack: Stack,
    planned: Planned | None = None,
    *,
    allow_deletes: int | None = None,
    parallelism: int = 10,
    on_event: Callable[[Event], None] = _ignore,
    stop: threading.Event | None = None,
    lock_timeout_s: float = 0,
    ingest_timeout_s: float = 1800,
    environ: Mapping[str, str] | None = None,
    folder: Path | str = ".",
) -> Report:
    """Make the live service agree with the spec, under the lock of the stack.

    With `planned` exactly that is carried out: if the spec or what is live has moved since, nothing is written and
    StalePlan says what moved. Without, the plan is made here. A step that fails does not raise: the report says what
    was done, what failed and what was not attempted. `on_event` is called from several threads, one call at a time;
    `stop` ends the work early. Raises UnsafePlan (a guard objects), Locked (another apply runs), PartlyApplied (the
    lock was lost after something was written).
    """
    from asstops import safety

    if parallelism < 1:
        raise UsageError(f"parallelism is {parallelism}", fix="use 1 or more")
    how, stop = planned.how if planned is not None else _How(), stop or threading.Event()
    whole = Report()
    while True:
        with (
            connect(
                stack, environ=environ, folder=folder, destroying=how.destroy, ingest_timeout_s=ingest_timeout_s
            ) as connection,
            connection.locked(lock_timeout_s, stop) as check_lock,
        ):
            now = connection.planned(how)
            if planned is not None and (moved := planned.moved_since(now)):
                raise StalePlan(moved, fix="make a new plan and look at it")
            safety.check(now.plan, now.prepared.snapshot, stack, allow_deletes=allow_deletes)
            report = connection.apply(now.prepared, on_event, parallelism=parallelism, stop=stop)
            whole = whole.then(report)
            check_lock(whole.wrote)
            restored = connection.session.restoring and not report.failed and not report.skipped
            if not restored or planned is not None or stop.is_set():
                return whole
        # A soft-deleted account is back with what it held. Only now can the rest be planned, so go round once more.


def destroy(stack: Stack, **given: Any) -> Report:
    """Delete everything that the stack owns, and nothing else. Takes what `apply` takes beside a plan."""
    environ, folder = given.get("environ"), given.get("folder", ".")
    return apply(stack, plan(stack, destroy=True, environ=environ, folder=folder), **given)


@dataclass(frozen=True, slots=True)
class _How:
    """How a plan was asked for."""

    targets: tuple[Address, ...] = ()
    destroy: bool = False
    accept_origin: bool = False
    on_drift: OnDrift = OnDrift.OVERWRITE


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it was made from: what `apply` compares with before it writes."""

    plan: Plan = field(repr=False)  # values of sensitive variables stand in it
    prepared: Prepared = field(repr=False)
    how: _How
    secrets: frozenset[str] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """True when applying it would write nothing."""
        return self.plan.is_empty

    def as_json(self) -> dict[str, Any]:
        """The documented form (docs/plan-format.md), secrets masked."""
        from asstops.views.machine import plan_to_json

        return plan_to_json(self._masked())

    def as_text(self, *, width: int = 100, color: bool = False) -> str:
        """What `asstops plan` prints, secrets masked. `width` is in columns."""
        from asstops.views.human import render_plan

        return render_plan(self._masked(), width=width, color=color, read=f"read {len(self.prepared.snapshot)} objects")

    def _masked(self) -> Plan:
        from asstops.redact import Redactor

        return Redactor(sorted(self.secrets)).value(self.plan)

    def moved_since(self, now: Planned) -> list[Problem]:
        """What differs between two plans of the same question, one problem an address."""
        if here := _elsewhere(self.plan.target, now.plan.target):
            return [here]
        from asstops.pins import differences, pins
        from asstops.planfile import changes_moved

        then, later = (pins(p.plan, p.prepared.wanted, p.prepared.snapshot, p.prepared.rules) for p in (self, now))
        return differences(then, later) or changes_moved(self._masked(), now._masked())


@dataclass(frozen=True)
class Connection:
    """A stack, and the way to the services that it lives in."""

    stack: Stack
    session: Session
    journal: Journal
    hashes: HashCache
    folder: Path
    environ: Mapping[str, str]

    def prepare(self, **asked: Any) -> Prepared:
        """The plan and what it was made from; see `workflow.prepare`."""
        from asstops.workflow import prepare

        return prepare(self.stack, self.session, journal=self.journal, hashes=self.hashes, **asked)

    def planned(self, how: _How) -> Planned:
        prepared = self.prepare(
            targets=how.targets, destroy=how.destroy, accept_origin=how.accept_origin, on_drift=how.on_drift
        )
        from asstops.redact import credentials_in

        known = {*credentials_in(os.environ), *credentials_in(self.environ), self.session.settings.api_key} - {""}
        return Planned(prepared.plan, prepared, how, frozenset({*self.stack.secrets, *known}))

    @contextmanager
    def locked(self, timeout_s: float, stop: threading.Event) -> Iterator[Callable[[bool], None]]:
        """Hold the lock of the stack inside the block; `stop` is set when it is lost.

        Yields what raises once it is: Locked, or PartlyApplied when told that something was written.
        """
        from asstops.locks import Holder

        lost: list[str] = []

        def on_lost(why: str) -> None:
            lost.append(why)
            stop.set()
            self.session.limiter.stop(for_good=True)

        def check(wrote: bool) -> None:
            if lost:
                kind = PartlyApplied if wrote else Locked
                raise kind(f"the lock was lost: {lost[0]}", fix=AGAIN)

        settings, credential = self.session.settings, self.session.credential
        lock = lock_of(self.stack, settings, self.environ, credential, self.folder)
        me = Holder.here("a program with asstops")
        with lock.held(me, timeout_s=timeout_s, waiting=lambda _: None, on_lost=on_lost):
            yield check

    def apply(
        self,
        prepared: Prepared,
        on_event: Callable[[Event], None],
        *,
        parallelism: int,
        stop: threading.Event,
    ) -> Report:
        """Carry a plan out. Whoever calls holds the lock and has asked `safety.check`."""
        from asstops.executor import apply

        return apply(
            prepared.plan,
            self.session,
            prepared.snapshot,
            on_event,
            parallelism=parallelism,
            stop=stop,
            journal=self.journal,
        )


@contextmanager
def connect(
    stack: Stack,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | str = ".",
    local: bool = False,
    ingest_timeout_s: float = 1800,
    destroying: bool = False,
    purge: bool = False,
) -> Iterator[Connection]:
    """The way to the services, for as long as the block runs. Nothing is sent before it is used.

    `environ` says where the services are (the process's own by default); sign-in with Entra ID always reads the
    process's own. `folder` is where `.asstops/` lies.
    """
    from asstops.hashcache import HashCache
    from asstops.journal import Journal
    from asstops.providers.settings import Settings
    from asstops.spec import Stack
    from asstops.workflow import open_session

    if not isinstance(stack, Stack):  # a path, say, which `load` takes
        raise UsageError(f"{stack!r} is no stack", fix="load the spec first: asstops.load(FILE)")
    environ = os.environ if environ is None else environ
    session = open_session(
        stack,
        Settings.from_environ(environ, local=local),
        ingest_timeout_s=ingest_timeout_s,
        destroying=destroying,
        purge=purge,
    )
    try:
        here, name = Path(folder), stack.identity
        yield Connection(stack, session, Journal(here, name), HashCache(here, name), here, environ)
    finally:
        session.close()


def lock_of(
    stack: Stack,
    settings: Settings,
    environ: Mapping[str, str],
    credential: Callable[[], TokenSource],
    folder: Path,
) -> Lock:
    """The lock that the spec asks for, else the one of this machine. `folder` is where `.asstops/` lies."""
    from asstops.locks import azure_blob_lock, local_lock

    what = f"the stack {stack.identity}"
    if stack.lock is not None:
        return azure_blob_lock(
            stack.identity,
            stack.lock.account_url,
            stack.lock.container,
            what=what,
            fix=WAIT,
            environ=environ,
            credential=credential,
        )
    place: tuple[str, ...] = (settings.endpoint,)
    if (account := stack.account) is not None:
        group = (account.options["subscription_id"], account.options["resource_group"])
        place = (settings.arm_endpoint, *map(str, group), account.address.key)
    return local_lock(stack.identity, place, what=what, fix=WAIT, fallback=folder / ".asstops" / "locks")


def _addresses(given: Sequence[str | Address]) -> tuple[Address, ...]:
    try:
        return tuple(item if isinstance(item, Address) else Address.parse(item) for item in given)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _rule(given: OnDrift | str) -> OnDrift:
    try:
        return OnDrift(given)
    except ValueError:
        known = ", ".join(rule.value for rule in OnDrift)
        raise UsageError(f"on_drift is {given!r}", fix=f"use one of {known}") from None


def _elsewhere(then: Target, now: Target) -> Problem | None:
    """What is wrong with a plan that was made for something else. A new account has no endpoint yet."""
    endpoints = (then.endpoint, now.endpoint) if then.endpoint and now.endpoint else ("", "")
    for what, theirs, ours in (
        ("the stack", then.stack, now.stack),
        ("the service", then.service, now.service),
        ("the account", then.account, now.account),
        ("the endpoint", *endpoints),
    ):
        if theirs != ours:
            return Problem(f"the plan was made for {what} {theirs or '(none)'}, here it is {ours or '(none)'}")
    return None
