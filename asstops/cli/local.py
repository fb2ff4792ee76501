"""`--local`: the built-in emulator in this process, its data kept beside the spec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asstops.errors import AsstopsError

if TYPE_CHECKING:
    from asstops.locks import LocalLock

_OURS = ("AZURE_", "OPENAI_", "FOUNDRY_", "IDENTITY_", "MSI_")
DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def without_azure(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that points at a real service, so that nothing of it is used by mistake."""
    clean = {name: value for name, value in environ.items() if not name.startswith(_OURS)}
    clean["AZURE_SUBSCRIPTION_ID"] = environ.get("AZURE_SUBSCRIPTION_ID") or DEFAULT_SUBSCRIPTION
    return clean


def data_lock(db: Path) -> LocalLock:
    """What keeps two commands with --local apart: they cannot share the emulator's data."""
    from asstops.locks import LocalLock

    fix = "wait for it to end (apply and destroy do that with --lock-timeout SECONDS), or run in another folder"
    return LocalLock(db.with_suffix(".lock"), f"the data of --local in {db.parent}", fix)


@contextmanager
def local_emulator(
    db: Path, subscription_id: str, *, command: str = "", lock_timeout_s: float = 0
) -> Iterator[Mapping[str, str]]:
    """Run the emulator on a free loopback port; yields what to put into the environment.

    The process's own environment points at it meanwhile, since azure-identity reads that. Raises Locked while another
    command uses the same data, after `lock_timeout_s`.
    """
    try:
        from asstops.emulator import EmulatorError, EmulatorServer, EmulatorSettings
    except ImportError as error:
        raise missing_extra(error) from error
    from asstops.cli.locking import tell
    from asstops.locks import Holder

    try:
        db.parent.mkdir(parents=True, exist_ok=True)
        ignore = db.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        db.touch()
    except OSError as error:
        raise AsstopsError(
            f"{db.parent} cannot hold the emulator's data: {error.strerror}",
            fix="work in a folder that you may write to",
        ) from error
    settings = EmulatorSettings(subscription_id=subscription_id or DEFAULT_SUBSCRIPTION)
    alone = data_lock(db).held(
        Holder.here(f"asstops {command}".strip()), timeout_s=lock_timeout_s, waiting=tell, on_lost=lambda _: None
    )
    with ExitStack() as stack:
        stack.enter_context(alone)
        try:
            server = stack.enter_context(EmulatorServer(db=db, settings=settings))
        except ImportError as error:
            raise missing_extra(error) from error
        except EmulatorError as error:
            raise AsstopsError(str(error), fix="end the other process, or run in another folder") from error
        before = dict(os.environ)
        try:
            for name in [name for name in os.environ if name.startswith(_OURS)]:
                del os.environ[name]
            os.environ.update(server.environment)
            os.environ["NO_PROXY"] = ",".join(filter(None, [before.get("NO_PROXY"), "127.0.0.1", "localhost"]))
            yield server.environment
        finally:
            os.environ.clear()
            os.environ.update(before)


def missing_extra(error: ImportError) -> AsstopsError:
    """The emulator's packages are not installed."""
    return AsstopsError(
        f"the emulator needs the package {error.name}, which is not installed", fix="pip install 'asstops[emulator]'"
    )
