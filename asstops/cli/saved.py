"""Plan files on the command line: written by `plan -o`, read by `show` and `apply`, checked before they are used."""

from __future__ import annotations

import os
import shlex
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from asstops import __version__
from asstops.cli.options import Globals
from asstops.errors import AsstopsError, PlanFileInvalid, Problem, StalePlan, UsageError

if TYPE_CHECKING:
    from asstops.cli.run import Run
    from asstops.model import Target
    from asstops.pins import Pins
    from asstops.planfile import Invocation, SavedPlan
    from asstops.workflow import Prepared


def save(path: Path, options: Globals, run: Run, prepared: Prepared, *, accept_origin: bool) -> None:
    """Write a plan so that `apply FILE` can carry it out elsewhere; an existing file is replaced as a whole."""
    from asstops.planfile import SavedPlan, to_text
    from asstops.views.graphs import find_links

    saved = SavedPlan(
        plan=run.masked(prepared.plan),
        pins=_pins(prepared),
        invocation=_invocation(options, run, accept_origin=accept_origin),
        asstops_version=__version__,
        created_at=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        links=run.masked(find_links(run.stack.resources, prepared.plan)),
    )
    text = to_text(saved)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise AsstopsError(
            f"the plan cannot be written to {path}: {error.strerror}",
            fix="name a file in a folder that you may write to",
        ) from error


def apply_command(path: Path, options: Globals) -> str:
    """What to type to carry the plan out from here."""
    words = ["asstops", *(["--local"] if options.local else [])]
    words += ["--chdir", str(options.chdir)] if options.chdir != Path(".") else []
    return shlex.join([*words, "apply", str(path)])


def read(path: Path) -> SavedPlan:
    """Read and validate a plan file. Raises PlanFileInvalid, AsstopsError when it cannot be read."""
    from asstops.planfile import MAX_BYTES, from_bytes

    try:
        if not path.is_file():
            raise AsstopsError(f"there is no plan file {path}", fix="make one with 'asstops plan -o FILE'")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise AsstopsError(f"{path} cannot be read: {error.strerror}", fix="check its permissions") from error
    try:
        return from_bytes(data, version=__version__)
    except PlanFileInvalid as error:
        raise PlanFileInvalid(f"{path}: {error.message}", fix=error.fix) from None


def options_for(saved: SavedPlan, given: Globals) -> Globals:
    """The options that the plan was made with. Raises UsageError where the command line says otherwise."""
    from asstops.spec.scalars import resolve

    made = saved.invocation
    if given.files or given.var_files or (given.env and given.env != made.env):
        raise UsageError("a saved plan has its own spec and variables", fix="leave out -f, --env and --var-file")
    if twice := sorted(set(given.variables) & set(made.variables)):
        raise UsageError(f"the saved plan has its own value of {twice[0]}", fix=f"leave out --var {twice[0]}")
    if given.local != made.local:
        fix = "add --local" if made.local else "leave out --local"
        raise UsageError(f"the plan was made {'with' if made.local else 'without'} --local", fix=fix)
    return replace(
        given,
        files=tuple(_inside(name, given.chdir) for name in made.files),
        env=made.env,
        allow_outside=made.allow_outside,
        pinned={name: value.text if value.quoted else resolve(value.text) for name, value in made.variables.items()},
    )


def check_target(saved: SavedPlan, now: Target) -> None:
    """Refuse a plan that was made for something else. Raises PlanFileInvalid."""
    then = saved.plan.target
    if saved.invocation.local or not (then.endpoint and now.endpoint):
        # With --local each run has a port of its own, and an account that does not exist has no endpoint yet.
        then, now = replace(then, endpoint=""), replace(now, endpoint="")
    for what, theirs, ours in (
        ("the stack", then.stack, now.stack),
        ("the service", then.service, now.service),
        ("the account", then.account, now.account),
        ("the endpoint", then.endpoint, now.endpoint),
    ):
        if theirs != ours:
            here = ours or "(none)"
            raise PlanFileInvalid(
                f"the plan was made for {what} {theirs or '(none)'}, here it is {here}; nothing was written",
                fix="carry it out where it was made for, or make a new one",
            )


def check(saved: SavedPlan, run: Run, prepared: Prepared) -> None:
    """Refuse what is not the plan that was saved. Raises PlanFileInvalid (made for something else) and StalePlan."""
    from asstops.planfile import moved_since

    plan = run.masked(prepared.plan)
    check_target(saved, plan.target)
    if saved.plan.origin != plan.origin:
        raise PlanFileInvalid(
            "the plan was made from another repository or path; nothing was written",
            fix="carry it out in a checkout of the repository it was made from",
        )
    moved = moved_since(saved, plan, _pins(prepared))
    if moved:
        raise StalePlan(
            [Problem(problem.message, problem.location) for problem in moved],
            fix="read the changes and make a new plan: asstops plan -o FILE",
        )


def _pins(prepared: Prepared) -> Pins:
    from asstops.pins import pins

    return pins(prepared.plan, prepared.wanted, prepared.snapshot, prepared.rules)


def _invocation(options: Globals, run: Run, *, accept_origin: bool) -> Invocation:
    from asstops.kinds.fields import Plain
    from asstops.planfile import Invocation, VariableValue

    variables = {}
    for name, value in sorted(run.stack.variables.items()):
        text = value.text if isinstance(value, Plain) else value
        if run.redactor.text(text) != text:
            raise UsageError(
                f"the value of variable {name} holds a secret, which a plan file must not",
                fix=f"declare it under vars: with sensitive: true, and give it to apply again ({name})",
            )
        variables[name] = VariableValue(text=text, quoted=not isinstance(value, Plain))
    return Invocation(
        files=tuple(_relative(file, options.chdir) for file in options.files),
        env=options.env,
        variables=variables,
        allow_outside=options.allow_outside,
        accept_origin=accept_origin,
        local=options.local,
    )


def _relative(file: Path, base: Path) -> str:
    """A spec file as another machine finds it: from the folder that asstops works in."""
    if not file.is_absolute():
        return file.as_posix()
    try:
        return Path(os.path.relpath(file, os.path.abspath(base))).as_posix()
    except ValueError:  # another drive, on Windows
        raise UsageError(
            f"a saved plan cannot name {file}", fix="name the spec by a path from the folder you work in"
        ) from None


def _inside(name: str, base: Path) -> Path:
    """A spec file that a plan names. What leads out of the repository is refused: the file is not to be trusted."""
    from asstops.spec.git import top_level

    here = Path(os.path.abspath(base))
    top = top_level(here) or here
    path = Path(os.path.normpath(here / PurePosixPath(name)))
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or not path.is_relative_to(top):
        raise PlanFileInvalid(
            f"the plan names the spec {name}, which is outside the repository",
            fix="work in the folder that the plan was made in, or name it with --chdir",
        )
    return Path(name)
