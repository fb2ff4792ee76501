"""For tests of programs that use Azure OpenAI: a local Azure, and what a spec provisions in it.

`asstops.testing.plugin` is the pytest plug-in. Owns the public names of the package. Importing it imports nothing
else of asstops: pytest loads plug-ins before coverage begins to measure.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asstops.testing.provisioned import Provisioned, provision

__all__ = ["Provisioned", "provision"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("asstops.testing.provisioned"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
