"""What every command that talks to a service does first: load the spec, find the services, mask secrets."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from asstops.cli import ci, concealed, pauses
from asstops.cli.options import Globals
from asstops.cli.terminal import Terminal
from asstops.errors import AsstopsError, UsageError
from asstops.model import Address

if TYPE_CHECKING:
    from asstops.hashcache import HashCache
    from asstops.journal import Journal
    from asstops.library import Connection
    from asstops.model import OnDrift
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.redact import Redactor
    from asstops.spec import Stack

Shown = TypeVar("Shown")
LOCAL_DB = Path(".asstops") / "local.db"


@dataclass(frozen=True)
class Run:
    """One command at work: the spec, the way to the services, and the mask for secrets."""

    connection: Connection
    redactor: Redactor
    started: float
    _known: dict[int, tuple[Any, Any]] = field(default_factory=dict, repr=False)

    @property
    def stack(self) -> Stack:
        return self.connection.stack

    @property
    def session(self) -> Session:
        return self.connection.session

    @property
    def journal(self) -> Journal:
        return self.connection.journal

    @property
    def hashes(self) -> HashCache:
        return self.connection.hashes

    def masked(self, value: Shown) -> Shown:
        """A plan, a report or an event without secrets; masked before it is laid out, since lines break secrets up."""
        from asstops.model import Plan, Report

        masked: Shown
        if not isinstance(value, (Plan, Report)):
            masked = self.redactor.value(value)
            return masked
        if id(value) not in self._known:  # of a large plan it takes a while, and several views show the same one
            self._known[id(value)] = (value, self.redactor.value(value))
        masked = self._known[id(value)][1]
        return masked

    def say(self, text: str, *, err: bool = False, go_on: bool = False) -> None:
        """Write text that ends in a line break; stdout is for data, stderr for the rest.

        `go_on` when nobody reads any more: for work that must not stop over it. Else that is a BrokenPipeError.
        """
        from asstops.views.text import encodable

        terminal = Terminal.for_stderr() if err else Terminal.for_stdout()
        stream = sys.stderr if err else sys.stdout
        text = encodable(self.redactor.text(text), stream.encoding)
        try:
            click.echo(text, nl=False, err=err, color=terminal.color)
        except BrokenPipeError:
            if not go_on:
                raise
            # Whoever read us has gone, as `head` does; the work goes on, and the exit code stays its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def reading(self, count: int) -> str:
        """The last part of a plan's heading."""
        return f"read {count} object{'' if count == 1 else 's'} in {time.monotonic() - self.started:.1f} s"


def load_stack(options: Globals, environ: Mapping[str, str]) -> Stack:
    """Read the spec that the options name, and show its warnings on stderr."""
    from asstops.spec import load

    ci.work_in(options.chdir)
    stack = load(
        list(options.files),
        env=options.env,
        variables=options.variables,
        var_files=list(options.var_files),
        environ=environ,
        base=options.chdir,
        allow_outside=options.allow_outside,
        pinned=options.pinned,
    )
    concealed.learn(stack.secrets)
    if stack.warnings:
        from asstops.views.problems import render_problems

        terminal = Terminal.for_stderr()
        warnings = concealed.redactor().value(stack.warnings)
        text = render_problems(warnings, warning=True, color=terminal.color, width=terminal.width)
        click.echo(text, err=True, color=terminal.color)  # and an empty line before whatever follows
        ci.annotate(warnings, warning=True)
    return stack


@contextmanager
def opened(
    options: Globals,
    *,
    ingest_timeout_s: float = 1800,
    destroying: bool = False,
    purge: bool = False,
    lock_timeout_s: float = 0,
) -> Iterator[Run]:
    """Load the spec and open a session; with --local the emulator runs for as long as the block does.

    Only with --local is anything locked here: the emulator's data, which one command can use at a time.
    """
    from asstops.cli.requestlog import log_requests
    from asstops.library import connect

    started = time.monotonic()
    log_requests(options)
    with (
        _environment(options, lock_timeout_s) as (stack, environ),
        connect(
            stack,
            environ=environ,
            folder=options.chdir,
            local=options.local,
            ingest_timeout_s=ingest_timeout_s,
            destroying=destroying,
            purge=purge,
        ) as connection,
    ):
        concealed.learn([connection.session.settings.api_key])
        connection.session.limiter.on_pause = pauses.tell
        yield Run(connection, concealed.redactor(), started)


@contextmanager
def without_spec(options: Globals, service: Callable[[Settings], str], command: str) -> Iterator[Session]:
    """A session at the place that the environment names; `service` says which service to take there."""
    from asstops.cli.requestlog import log_requests
    from asstops.providers.session import Session
    from asstops.providers.settings import Settings
    from asstops.services import by_name

    log_requests(options)
    with ExitStack() as stack:
        environ: Mapping[str, str] = os.environ
        if options.local:
            from asstops.cli.local import local_emulator, without_azure

            clean = without_azure(os.environ)
            emulator = local_emulator(options.chdir / LOCAL_DB, clean["AZURE_SUBSCRIPTION_ID"], command=command)
            environ = {**clean, **stack.enter_context(emulator)}
        settings = Settings.from_environ(environ, local=options.local)
        concealed.learn([settings.api_key])
        session = Session(settings, by_name(service(settings)), None)
        session.limiter.on_pause = pauses.tell
        try:
            yield session
        finally:
            session.close()


@contextmanager
def _environment(options: Globals, lock_timeout_s: float) -> Iterator[tuple[Stack, Mapping[str, str]]]:
    """The spec, and the environment that says where the services are."""
    if not options.local:
        yield load_stack(options, os.environ), os.environ
        return
    from asstops.cli.local import local_emulator, without_azure

    environ = without_azure(os.environ)
    stack = load_stack(options, environ)
    subscription = str(stack.account.options["subscription_id"]) if stack.account is not None else ""
    context = click.get_current_context(silent=True)
    command = context.info_name or "" if context is not None else ""
    db = options.chdir / LOCAL_DB
    with local_emulator(db, subscription, command=command, lock_timeout_s=lock_timeout_s) as server:
        yield stack, {**environ, **server}


def addresses(texts: tuple[str, ...]) -> tuple[Address, ...]:
    """Parse addresses given on the command line. Raises UsageError."""
    try:
        return tuple(Address.parse(text) for text in texts)
    except ValueError as error:
        raise UsageError(str(error)) from None


def drift_rule(text: str | None) -> OnDrift:
    """What `--on-drift` said; the default when it was left out."""
    from asstops.model import OnDrift

    return OnDrift(text) if text is not None else OnDrift.OVERWRITE


def options_of(context: click.Context) -> Globals:
    """The global options of the running command."""
    if not isinstance(context.obj, Globals):
        raise AsstopsError("the command line was not read")
    return context.obj
