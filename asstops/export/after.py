"""What comes after an export: what `adopt` takes over, and what the plan says then. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from asstops import adoption
from asstops.export.live import Live
from asstops.export.report import After, Exported
from asstops.model import Address, Resource, Target
from asstops.ownership import Snapshot
from asstops.planner import Request
from asstops.rules import KindRules
from asstops.workflow import next_plan


def after(
    exported: Exported, live: Live, wanted: Mapping[Address, Resource], rules: Mapping[str, KindRules], target: Target
) -> After:
    """Adopt everything, on paper. `wanted` is the new spec as it was read back."""
    snapshot = Snapshot(live.objects, unread=live.unread, foreign=live.foreign)
    asked = {item.address: item.live.remote_id for item in exported.items if item.owned}
    matched, _ = adoption.matching(wanted, snapshot, rules, target.stack)
    by_name = {address for address, ident in asked.items() if matched.get(address) == ident}
    if any(asked.get(address, ident) != ident for address, ident in matched.items()):
        by_name = set()  # a namesake would be taken in the place of what was meant
    found, refused = adoption.chosen(asked, wanted, snapshot, rules, stack=target.stack, origin="", trust=True)
    taken = {item.address for item in found}
    plan = next_plan(Request(target), wanted, adoption.adopted(snapshot, found), rules, taken)
    trust = any(rules[address.kind].unreadable & wanted[address].body.keys() for address in taken)
    return After(
        by_name=tuple(sorted(by_name & taken)),
        by_id={address: ident for address, ident in sorted(asked.items()) if address in taken - by_name},
        trust=trust,
        plan=plan,
        refused=tuple(refused),
    )
