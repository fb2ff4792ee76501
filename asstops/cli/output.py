"""`asstops output`: remote ids, endpoint and deployment names, for the applications that use them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from asstops.cli.options import format_option, global_options
from asstops.cli.run import opened, options_of
from asstops.cli.terminal import Terminal
from asstops.errors import AsstopsError, ExitCode

if TYPE_CHECKING:
    from asstops.providers.session import Session
    from asstops.workflow import Located


@click.command("output")
@format_option("json", "env", text="env is for shells and .env files.")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """Print ids, endpoint and names for applications.

    With --format env, each line is NAME=VALUE: where a kind has several objects, the name ends in the object's key.
    """
    from asstops.workflow import locate

    with opened(options_of(context)) as run:
        found = locate(run.stack, run.session, hashes=run.hashes)
        for address in found.missing:
            run.say(f"Warning: {address} does not exist yet; run asstops apply\n", err=True)
        document = _document(found, run.session)
        if form == "json":
            from asstops.views.machine import dumps

            text = dumps(document)
        elif form == "env":
            variables = _environment(document, run.session)
            text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
        else:
            from asstops.views.table import pairs

            terminal = Terminal.for_stdout()
            rows = [(name, document[name]) for name in ("endpoint", "api_version") if document[name]]
            rows += [
                (str(address), f"{remote_id} (version {found.versions[address]})")
                if address in found.versions
                else (str(address), remote_id)
                for address, remote_id in found.ids.items()
            ]
            text = pairs(rows, width=terminal.data_width, color=terminal.color)
        run.say(text)
        return ExitCode.OK if found.ids or not found.missing else ExitCode.ERROR


def _document(found: Located, session: Session) -> dict[str, Any]:
    """The JSON form: endpoint and API version, a map of key to id for each kind, and of key to version."""
    endpoint = next(iter(session.service.whereabouts(session).values()), "")
    document: dict[str, Any] = {"endpoint": endpoint, "api_version": session.service.api_version(session)}
    for address, remote_id in found.ids.items():
        document.setdefault(f"{address.kind}s", {})[address.key] = remote_id
    for address, version in found.versions.items():
        document.setdefault(f"{address.kind}_versions", {})[address.key] = version
    return document


def _environment(document: Mapping[str, Any], session: Session) -> dict[str, str]:
    for kind, found in document.items():
        for key, remote_id in found.items() if isinstance(found, Mapping) else ():
            if not re.fullmatch("[!-~]+", remote_id):
                # In a file of variables, a line break in a value begins another variable.
                raise AsstopsError(
                    f"the id of {kind.removesuffix('s')}.{key} is {remote_id!r}, which cannot be passed on",
                    fix="look at the object in the portal, and delete it if it is not yours",
                )
    result = dict(session.service.whereabouts(session))
    for kind, name in session.service.variables.items():
        found = document.get(f"{kind}s", {})
        for key, remote_id in found.items():
            result[name if len(found) == 1 else _free(f"{name}_{_shell_name(key)}", result)] = remote_id
    return result


def _shell_name(key: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", key.upper()).strip("_")


def _free(name: str, taken: Mapping[str, str]) -> str:
    """Two keys may give one name (`a-b`, `a.b`): the later ones are numbered."""
    number, candidate = 2, name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate
