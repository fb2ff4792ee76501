"""The local Azure: a loopback HTTP server on which the real SDKs work unchanged.

Owns the public names of the package. Importing it costs next to nothing: the server and all that it needs
are imported when one of them is first used. It imports nothing else of asstops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asstops.emulator.environment import environment
from asstops.emulator.settings import BEHAVIOURS, EmulatorError, EmulatorSettings

if TYPE_CHECKING:
    from asstops.emulator.server import EmulatorServer, serve

__all__ = ["BEHAVIOURS", "EmulatorError", "EmulatorServer", "EmulatorSettings", "environment", "serve"]


def __getattr__(name: str) -> Any:
    if name in {"EmulatorServer", "serve"}:
        from asstops.emulator import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
