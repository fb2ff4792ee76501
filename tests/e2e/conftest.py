"""The real program against a real server."""

from tests.support.fixtures import module_server, program, stage, staged
from tests.support.running import gate, watched

__all__ = ["gate", "module_server", "program", "stage", "staged", "watched"]
