"""The kinds of resource that every service has, one file each. A service's own are in its folder under services/."""

from __future__ import annotations

from asstops.kinds.base import Kind, kinds_in

__all__ = ["Kind", "kinds_in"]
