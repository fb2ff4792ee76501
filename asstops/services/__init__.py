"""The services that can serve a spec's assistants, a folder each: the one place that knows which there are.

A folder has `SERVICE`, and beside it the kinds that it alone has. Nothing else asks a service for its name.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from asstops.services.base import Service

NAMES = tuple(sorted(module.name for module in iter_modules(__path__) if module.ispkg))
DEFAULT = "agents"


@cache
def by_name(name: str) -> Service:
    """The service that a spec means by `service: NAME`. Raises KeyError for one that is not among NAMES."""
    if name not in NAMES:
        raise KeyError(name)
    service: Service = import_module(f"{__name__}.{name}").SERVICE
    return service


def every() -> tuple[Service, ...]:
    """All services, by name."""
    return tuple(by_name(name) for name in NAMES)


__all__ = ["DEFAULT", "NAMES", "Service", "by_name", "every"]
