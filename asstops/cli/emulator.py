"""`asstops emulator`: the local Azure, as a server."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from asstops.cli import garbage
from asstops.cli.options import output_options

DEFAULT_PORT = 8642


def _behaviour(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    result = {}
    for text in value:
        name, equals, setting = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", ctx, param)
        result[name] = setting
    return result


@click.group("emulator", invoke_without_command=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 takes a free one."
)
@click.option(
    "--db", type=click.Path(path_type=Path, dir_okay=False), help="Keep the data in this file; in memory otherwise."
)
@click.option("--public-url", metavar="URL", help="The address to tell clients, behind a proxy.")
@click.option("--latency", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Added to every answer.")
@click.option(
    "--ingestion",
    type=click.FloatRange(min=0),
    default=0.05,
    metavar="SECONDS",
    help="How long a file takes to be taken in.",
)
@click.option(
    "--arm-operation",
    type=click.FloatRange(min=0),
    default=0.2,
    metavar="SECONDS",
    help="How long a write in ARM takes.",
)
@click.option(
    "--list-lag",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long lists of the data plane stay as they were.",
)
@click.option(
    "--arm-list-lag",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="How long lists of ARM stay as they were.",
)
@click.option(
    "--token-lifetime",
    type=click.FloatRange(min=0),
    default=86400.0,
    metavar="SECONDS",
    help="How long a token is good for.",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="How many requests an account or a project answers before it says 429; 0 answers all.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Scripted faults, YAML or JSON.",
)
@click.option(
    "--replies",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Scripted replies of the models, YAML or JSON.",
)
@click.option("--subscription", metavar="ID", help="The id of the only subscription there is.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Let --host be more than loopback. Unwise: keys and tokens are public knowledge, so whoever reaches the "
    "port reads and writes everything in it.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Serve https with this certificate, PEM.",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The key of the certificate.",
)
@click.option(
    "--retired",
    type=click.Choice(["assistants"]),
    multiple=True,
    help="Answer as if this API had been retired; short for --behaviour assistants_api=retired_404.",
)
@click.option(
    "--behaviour", multiple=True, callback=_behaviour, metavar="NAME=VALUE", help="Switch a behaviour; repeatable."
)
@output_options
@click.pass_context
def command(
    context: click.Context,
    port: int,
    db: Path | None,
    public_url: str | None,
    latency: float,
    ingestion: float,
    arm_operation: float,
    list_lag: float,
    arm_list_lag: float,
    token_lifetime: float,
    requests_per_minute: int,
    faults: Path | None,
    replies: Path | None,
    subscription: str | None,
    host: str,
    allow_remote: bool,
    tls_cert: Path | None,
    tls_key: Path | None,
    retired: tuple[str, ...],
    behaviour: dict[str, str],
) -> None:
    """Run a local Azure as a server; Ctrl-C ends it.

    The real SDKs, curl and asstops can talk to it.

    In another shell:  eval "$(asstops emulator env)"
    """
    if context.invoked_subcommand is not None:
        return
    from asstops.cli.local import missing_extra
    from asstops.errors import AsstopsError

    try:
        from asstops.emulator import EmulatorError, EmulatorServer, EmulatorSettings, serve
        from asstops.emulator.settings import DEFAULT_SUBSCRIPTION
    except ImportError as error:
        raise missing_extra(error) from error

    def announce(server: EmulatorServer) -> None:
        secure = server.url.startswith("https:")
        where = f"--public-url {server.url}" if secure else f"--port {server.url.rpartition(':')[2]}"
        where += f" --subscription {subscription}" if subscription else ""
        click.echo(f"The emulator listens on {server.url}", err=True)
        click.echo(f'  eval "$(asstops emulator env {where})"   points a shell at it; Ctrl-C ends it', err=True)

    try:
        settings = EmulatorSettings(
            latency_s=latency,
            ingestion_s=ingestion,
            arm_operation_s=arm_operation,
            list_lag_s=list_lag,
            arm_list_lag_s=arm_list_lag,
            token_lifetime_s=token_lifetime,
            requests_per_minute=requests_per_minute,
            faults=faults,
            replies=replies,
            subscription_id=subscription or DEFAULT_SUBSCRIPTION,
            public_url=public_url,
            allow_remote=allow_remote,
            tls_cert=tls_cert,
            tls_key=tls_key,
            behaviour={**({"assistants_api": "retired_404"} if retired else {}), **behaviour},
        )
        garbage.collect_as_usual()
        serve(port=port, db=db, host=host, settings=settings, ready=announce)
    except ImportError as error:
        raise missing_extra(error) from error
    except EmulatorError as error:
        raise AsstopsError(str(error), fix=_fix(str(error))) from error


def _fix(message: str) -> str:
    """Return what to try after a failure to start."""
    if "loopback" in message:
        return "leave --host out, or add --allow-remote where nobody else can reach the port"
    if "TLS" in message:
        return "give --tls-cert and --tls-key together"
    if "listen" in message or "in use" in message:
        return "choose another --port or --db"
    return "see docs/emulator.md"


@command.command("env")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port the emulator listens on.",
)
@click.option("--public-url", metavar="URL", help="The address the emulator tells clients, behind a proxy.")
@click.option("--subscription", metavar="ID", help="The subscription the emulator was started with.")
def env(port: int, public_url: str | None, subscription: str | None) -> None:
    """Print the export lines that point a shell at a running emulator."""
    from asstops.emulator import environment
    from asstops.emulator.settings import DEFAULT_SUBSCRIPTION

    url = public_url or f"http://127.0.0.1:{port}"
    for name, value in environment(url, subscription or DEFAULT_SUBSCRIPTION).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    if any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        click.echo('export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"')
