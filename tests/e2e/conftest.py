"""The real program against a real server."""

from tests.support.fixtures import inside, module_server, program, stage, staged
from tests.support.running import gate, watched

__all__ = ["gate", "inside", "module_server", "program", "stage", "staged", "watched"]
