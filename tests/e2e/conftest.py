"""The real program against a real server."""

from tests.support.fixtures import module_server, program, stage, staged

__all__ = ["module_server", "program", "stage", "staged"]
