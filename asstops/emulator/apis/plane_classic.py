"""Foundry classic: assistants at a project's endpoint, `{prefix}/api/projects/{name}/assistants...`, api-version v1.

Owns which paths are classic. They are served as the newest dated version of Azure OpenAI has them, which is close to
what is known of them, and stay when the Assistants API of the accounts is retired.
"""

from __future__ import annotations

from dataclasses import replace

from asstops.emulator.apis import (
    assistants,
    files,
    messages,
    run_steps,
    runs,
    threads,
    vector_store_batches,
    vector_store_files,
    vector_stores,
)
from asstops.emulator.apis.plane_data import DataPlane
from asstops.emulator.apis.plane_project import ProjectEndpoint, check_agents_version
from asstops.emulator.data import NEW
from asstops.emulator.wire import Call

_PATHS = frozenset({"assistants", "files", "threads", "vector_stores"})
_SHARED = (assistants, files, messages, run_steps, runs, threads, vector_store_batches, vector_store_files,
           vector_stores)  # fmt: skip


class ClassicPlane(ProjectEndpoint, DataPlane):
    """See wire.Plane."""

    name = "classic"
    surface = NEW

    def claim(self, call: Call, /) -> bool:
        parts = [part for part in call.path.split("/") if part]
        start = 0 if parts[:2] == ["api", "projects"] else 1
        if parts[start : start + 2] != ["api", "projects"] or not _PATHS & set(parts[start + 3 : start + 4]):
            return False
        return super().claim(call)

    def check_version(self, version: str | None, /) -> None:
        check_agents_version(version)


PLANES = [(4, ClassicPlane())]
ROUTES = [
    replace(route, plane=ClassicPlane.name)
    for module in _SHARED
    for route in module.ROUTES
    if not route.surfaces or NEW in route.surfaces
]
