"""The account of a spec: agents want one of kind AIServices with a project, and no account changes its kind. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from asstops.migrate.edits import Edited
from asstops.migrate.emit import scalar
from asstops.migrate.report import Ledger
from asstops.spec.spans import Spot

SECTION = "resource"
WANTED = "AIServices"
ENDING = "-ai"
MAX_NAME = 64


class Account:
    """Gives a spec's account another name, its kind and a project.

    After `bring`: `stays` is True where an account that the spec owns (or whose deployments it owns) keeps its name, so
    that the old spec and the new one own it together; `shared` where both may be applied at one and the same endpoint
    without that.
    """

    def __init__(self, ledger: Ledger, name: str, project: str) -> None:
        self.stays, self.shared = False, False
        self._same, self._owned = False, False  # an account keeps its name; it is the spec's own
        self._ledger = ledger
        self._name = name
        self._project = project if len(project) > 1 else f"{project or 'my'}-project"

    def bring(self, bases: Sequence[Edited], overlays: Sequence[Edited]) -> bool:
        """Change what has to; False where the spec names no account."""
        found = [(item, spot) for item in bases for spot in _accounts(item)]
        kind = next((value.text for _, spot in found if (value := spot.at("kind")) is not None), "OpenAI")
        has_project = any(spot.at("project") is not None for _, spot in found)
        managed = not any(_is_false(spot.at("managed")) for _, spot in found)
        over = [(item, spot) for item in overlays for spot in _accounts(item)]
        for item, spot in found:
            self._one(item, spot, kind, managed=managed, given=self._name)
        for item, spot in over:
            own = spot.at("kind")
            unmanaged = _is_false(spot.at("managed")) if spot.at("managed") is not None else not managed
            given = self._name if not found else ""
            self._one(item, spot, own.text if own is not None else kind, managed=not unmanaged, given=given)
        self.shared = not found or any(_is_null(root.at(SECTION)) for item in overlays for root in item.documents)
        if not found and not over:
            self._ledger.changed(
                SECTION,
                "",
                "the spec names no account: agents are where FOUNDRY_PROJECT_ENDPOINT says, not AZURE_OPENAI_ENDPOINT",
                "set FOUNDRY_PROJECT_ENDPOINT; a project takes no key, so sign in with Entra ID",
            )
            return False
        if not has_project:
            for item, spot in found or over:
                self._add_project(item, spot)
        self._deployments([*bases, *overlays])
        return True

    def _one(self, item: Edited, spot: Spot, kind: str, *, managed: bool, given: str) -> None:
        entries = spot.entries or {}
        own = entries.get("kind")
        name = entries.get("name")
        moves = kind != WANTED or (bool(given) and name is not None and name.text != given)
        if name is not None and not moves:
            self._same, self._owned = True, self._owned or managed
        for field in entries:
            if field not in ("kind", "name", "custom_subdomain"):
                self._ledger.kept(SECTION, field)
        if own is not None and own.text == "OpenAI":
            item.set(own, WANTED)
            self._ledger.changed(
                SECTION,
                "kind",
                "OpenAI is AIServices now, which has projects; no account changes its kind, so it is a new one",
                at=item.at(own),
            )
        elif own is not None and own.text != WANTED:
            told = f"it is {own.text[:80]}, and agents need {WANTED}"
            self._ledger.lost(SECTION, "kind", told, f"write kind: {WANTED}", item.at(own))
        elif own is not None:
            self._ledger.kept(SECTION, "kind")
        for field in ("name", "custom_subdomain"):
            value = entries.get(field)
            if value is None:
                continue
            if given and field == "name":
                item.set(value, given)
                self._renamed(item, value, field, value.text, given)
            elif not moves:
                self._ledger.kept(SECTION, field)
            elif not managed:
                self._foreign(item, value, field)
            else:
                self._rename(item, value, field)

    def _foreign(self, item: Edited, value: Spot, field: str) -> None:
        if field == "name":
            told = f"{value.text[:80]} exists by other hands, and an account of kind OpenAI has no projects"
            fix = f"name one of kind {WANTED}, with --resource NAME or in the new spec"
            self._ledger.lost(SECTION, field, told, fix, item.at(value))
        else:
            self._ledger.kept(SECTION, field)

    def _rename(self, item: Edited, value: Spot, field: str) -> None:
        text = value.text
        if "${" in text or not text:
            item.append(value, ENDING)
            new = text + ENDING
        else:
            new = text[: MAX_NAME - len(ENDING)].rstrip("-") + ENDING
            item.set(value, new)
        self._renamed(item, value, field, text, new)

    def _renamed(self, item: Edited, value: Spot, field: str, old: str, new: str) -> None:
        told = f"{old} is {new} now, a new account beside the old one, which lives on"
        fix = "choose another with --resource NAME; it must be free in all of Azure" if field == "name" else ""
        self._ledger.changed(SECTION, field, told, fix, item.at(value))

    def _add_project(self, item: Edited, spot: Spot) -> None:
        if not spot.entries:
            return
        after = "kind" if "kind" in spot.entries else "name" if "name" in spot.entries else next(iter(spot.entries))
        item.insert_after(spot, after, f"project: {{name: {scalar(self._project)}}}")
        told = f"agents live in a project, which is made in the account: {self._project}"
        self._ledger.changed(SECTION, "project", told, "choose another with --project NAME", item.at(spot))

    def _deployments(self, files: Sequence[Edited]) -> None:
        """Those of an account that stays are there already; in another one only those that the spec owns are made."""
        made: dict[str, bool] = {}
        for item in files:
            for root in item.documents:
                found = root.at("deployments")
                for key, entry in (found.entries or {}).items() if found is not None else ():
                    managed = entry.at("managed")
                    made[key] = not _is_false(managed) if managed is not None else made.get(key, True)
                    if managed is not None and _is_false(managed) and not self._same:
                        told = "it is a deployment of the old account, and the new account has none of that name"
                        fix = "write model: and sku: instead of managed: false, or make it there by hand"
                        self._ledger.lost(f"deployment.{key}", "managed", told, fix, item.at(managed))
        count = sum(made.values())
        if self._same:
            self.stays = self._owned or count > 0
            self.shared = self.shared or not self.stays
        if self.stays:
            told = "the account stays, so the old spec and the new one own it and its deployments together"
            fix = "never run asstops destroy with the old spec; or give the new one an account with --resource NAME"
            self._ledger.changed(SECTION, "", told, fix)
        elif count:
            told = f"{count} model deployment{'s' if count > 1 else ''} made anew in the new account"
            fix = (
                "their quota counts beside the old ones' until those are gone: lower capacity: if it does not hold both"
            )
            self._ledger.changed(SECTION, "deployments", told, fix)


def _accounts(item: Edited) -> list[Spot]:
    found = (root.at(SECTION) for root in item.documents)
    return [spot for spot in found if spot is not None and spot.entries is not None]


def _is_false(spot: Spot | None) -> bool:
    return spot is not None and not spot.style and spot.text in ("false", "False", "FALSE")


def _is_null(spot: Spot | None) -> bool:
    return (
        spot is not None and spot.entries is None and not spot.style and spot.text in ("", "~", "null", "Null", "NULL")
    )
