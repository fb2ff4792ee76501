"""Every kind is held to the same promises, on a real server with the real SDKs."""

from tests.support.fixtures import module_server, stage, staged

__all__ = ["module_server", "stage", "staged"]
