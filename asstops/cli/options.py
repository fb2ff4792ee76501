"""Options that several commands share. The global ones are accepted before and after the command's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from asstops.cli import completing

Command = TypeVar("Command", bound=Callable[..., Any])
_Entry = tuple[tuple[str, ...], dict[str, Any], str]


@dataclass(frozen=True)
class Globals:
    """What the global options said, wherever they stood."""

    files: tuple[Path, ...] = ()
    env: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    var_files: tuple[Path, ...] = ()
    chdir: Path = Path(".")
    local: bool = False
    no_color: bool = False
    verbose: int = 0
    debug: bool = False
    allow_outside: bool = False
    pinned: Mapping[str, Any] = field(default_factory=dict)  # values of variables that a saved plan brings


def _variable(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    result = {}
    for text in value:
        name, equals, setting = text.partition("=")
        if not equals or not name:
            # What was given is not repeated: it may well be the secret alone.
            raise click.BadParameter("one of them is not NAME=VALUE", ctx, param)
        result[name] = setting
    return result


_PATH = click.Path(path_type=Path)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_PAIR: dict[str, Any] = {"multiple": True, "callback": _variable, "metavar": "NAME=VALUE"}
_GLOBAL: tuple[_Entry, ...] = (
    (
        ("-f", "--file", "files"),
        {"multiple": True, "type": _PATH, "metavar": "FILE|DIR"},
        "Spec to read; repeatable. Default: asstops.yaml.",
    ),
    (
        ("--env",),
        {"metavar": "NAME", "shell_complete": completing.environments},
        "Merge <name>.NAME.yaml over <name>.yaml, as a stack of its own.",
    ),
    (("--var", "variables"), _PAIR, "Set a variable of the spec; repeatable."),
    (
        ("--var-file", "var_files"),
        {"multiple": True, "type": _PATH, "metavar": "FILE"},
        "Read variables from a YAML file; repeatable.",
    ),
    (("--chdir",), {"type": _FOLDER, "metavar": "DIR"}, "Work in another folder."),
    (("--local",), {"is_flag": True}, "Use the built-in emulator, its data in .asstops/local.db; needs no Azure."),
    (("--allow-outside",), {"is_flag": True}, "Let paths of the spec leave the repository."),
    (("--no-color",), {"is_flag": True}, "Plain text; NO_COLOR in the environment does the same."),
    (("-v", "--verbose"), {"count": True}, "Say which requests are sent: method, path, status, time, request id."),
    (("--debug",), {"is_flag": True}, "Show the bodies of requests and answers, without secrets, and tracebacks."),
)


def global_options(command: Command) -> Command:
    """Add the global options to a command, and merge what stood before its name into what stands after it."""
    return _with_options(command, _GLOBAL)


def output_options(command: Command) -> Command:
    """Those of the global options that a command without a spec understands."""
    return _with_options(command, [entry for entry in _GLOBAL if entry[0][-1] in _OUTPUT])


def _with_options(command: Command, entries: Sequence[_Entry]) -> Command:
    @click.pass_context
    @wraps(command)
    def wrapped(ctx: click.Context, /, **kwargs: Any) -> Any:
        before = ctx.obj if isinstance(ctx.obj, Globals) else Globals()
        ctx.obj = _merged(before, {name: kwargs.pop(name) for name in _NAMES if name in kwargs})
        return command(**kwargs)

    for names, kind, text in reversed(entries):
        wrapped = click.option(*names, help=text, **kind)(wrapped)
    return wrapped  # type: ignore[return-value]


_OUTPUT = ("--no-color", "--verbose", "--debug")
_NAMES = tuple(item.name for item in fields(Globals))


def _merged(before: Globals, given: dict[str, Any]) -> Globals:
    """What stands nearer to the command's name wins; lists and flags add up."""
    result: dict[str, Any] = {}
    for name, value in given.items():
        old = getattr(before, name)
        if name == "chdir":
            result[name] = old / value if value else old
        elif name == "variables":
            result[name] = {**old, **value}
        elif isinstance(old, bool):
            result[name] = old or value
        elif name == "env":
            result[name] = value or old
        else:
            result[name] = old + value
    return replace(before, **result)


_SECONDS: dict[str, Any] = {"type": click.FloatRange(min=0), "metavar": "SECONDS", "show_default": True}
_FORM: dict[str, Any] = {"type": click.Choice(["human", "json"]), "default": "human", "show_default": True}
_APPLY: tuple[_Entry, ...] = (
    (("--auto-approve", "-y"), {"is_flag": True}, "Do not ask."),
    (("--format", "form"), _FORM, "How the plan and the report are written to stdout."),
    (
        ("--parallelism",),
        {"type": click.IntRange(1, 100), "default": 10, "show_default": True, "metavar": "N"},
        "Steps carried out at the same time.",
    ),
    (
        ("--allow-deletes",),
        {"type": click.IntRange(min=0), "metavar": "N"},
        "Allow up to N deletions where more than 30 % of ten or more objects would go.",
    ),
    (("--ingest-timeout",), {**_SECONDS, "default": 1800}, "How long a vector store may take in files."),
    (
        ("--lock-timeout",),
        {**_SECONDS, "default": 0},
        "How long to wait for another apply or destroy of the stack; 0 does not wait.",
    ),
    (("--accept-origin",), {"is_flag": True}, "Take over objects made from another repository or path."),
)


def format_option(*others: str, text: str) -> Callable[[Command], Command]:
    """`--format human`, or one of the other forms; the command gets it as `form`. `text` is its help."""

    def added(command: Command) -> Command:
        kind = click.Choice(["human", *others])
        return click.option("--format", "form", type=kind, default="human", show_default=True, help=text)(command)

    return added


def writing_options(*, preview: str, form: str, approve: str = "Do not ask.") -> Callable[[Command], Command]:
    """What commands that write something other than a plan have in common: ask, only show, form, wait for the lock."""

    def added(command: Command) -> Command:
        text = "How long to wait for an apply or destroy of the stack; 0 does not wait."
        command = click.option("--lock-timeout", **_SECONDS, default=0, help=text)(command)
        command = format_option("json", text=form)(command)
        command = click.option("--dry-run", is_flag=True, help=preview)(command)
        return click.option("--auto-approve", "-y", is_flag=True, help=approve)(command)

    return added


def target_option(command: Command) -> Command:
    """`--target ADDRESS`, repeatable."""
    return _target(command, "Only this address and what it needs; repeatable.")


def _target(command: Command, text: str) -> Command:
    option = click.option(
        "--target", "targets", multiple=True, metavar="ADDRESS", help=text, shell_complete=completing.addresses
    )
    return option(command)


def on_drift_option(command: Command) -> Command:
    """`--on-drift`; None when it was not given."""
    text = "What to do where something was changed outside asstops: put it back (overwrite, the default), leave it as "
    text += "it is live (keep), or write nothing at all (fail)."
    kind = click.Choice(["overwrite", "keep", "fail"])
    return click.option("--on-drift", "on_drift", type=kind, help=text)(command)


def apply_options(command: Command) -> Command:
    """What apply and destroy have in common."""
    for names, kind, text in reversed(_APPLY):
        command = click.option(*names, help=text, **kind)(command)
    return target_option(command)


def destroy_options(command: Command) -> Command:
    """The same in the words of destroy; what only means something to apply is taken, and not shown."""
    words = {"--accept-origin": "Delete objects made from another repository or path, too.", "--ingest-timeout": ""}
    for names, kind, text in reversed(_APPLY):
        told = words.get(names[0], text)
        command = click.option(*names, help=told, hidden=not told, **kind)(command)
    return _target(command, "Only this address and what needs it; repeatable.")
