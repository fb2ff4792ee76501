"""The graph as JSON: every object and every reference, nothing folded (docs/plan-format.md). Pure."""

from __future__ import annotations

from typing import Any

from asstops.model import Action, Plan
from asstops.views.graphs.links import Links
from asstops.views.machine import FORMAT_VERSION


def graph_to_json(links: Links, *, stack: str, service: str, plan: Plan | None = None) -> dict[str, Any]:
    """Nodes and edges, sorted. `action` is null without a plan, and `noop` for what the plan leaves as it is."""
    actions = {change.address: change.action for change in plan.changes} if plan is not None else {}
    other = None if plan is None else Action.NOOP.value
    return {
        "format_version": FORMAT_VERSION,
        "stack": stack,
        "service": service,
        "nodes": [
            {
                "address": str(address),
                "kind": address.kind,
                "key": address.key,
                "managed": address not in links.foreign,
                "action": actions[address].value if address in actions else other,
            }
            for address in sorted(links.uses)
        ],
        "edges": [
            {"from": str(address), "to": str(need)}
            for address, used in sorted(links.uses.items())
            for need in sorted(used)
        ],
    }
