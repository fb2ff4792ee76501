"""All kinds of resource. Importing this package registers every file in the folder; nothing else lists them."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from asstops.kinds.base import Kind, registry

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["Kind", "registry"]
