"""Deployments against what a region offers: model, version and SKU, the day they retire, the quota. Pure.

`today` is a value, so that the same facts give the same findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from asstops.checks.facts import Offer, Sku, Usage
from asstops.checks.findings import Finding, State, Topic, Unread, listed, unverified

SOON_DAYS = 90
_BLOCKED = ("deprecated",)  # lifecycleStatus of what can no longer be deployed anew
_ENDING = ("deprecating",)


@dataclass(frozen=True, slots=True)
class Asked:
    """A deployment as it is to be. `version` is "" for the default one.

    `live` is what the deployment has now, {} where it is new: `model.name`, `model.format`, `model.version`,
    `sku.name`, `sku.capacity`.
    """

    address: str
    format: str
    name: str
    version: str
    sku: str
    capacity: int
    live: Mapping[str, Any]

    @classmethod
    def of(cls, address: str, body: Mapping[str, Any], live: Mapping[str, Any] | None, *, moved: bool) -> Asked:
        """`moved`: Azure may have moved the version on its own, so that the live one counts."""
        live = live or {}
        said = {**{name: live.get(name) for name in _FIELDS}, **{n: body[n] for n in _FIELDS if n in body}}
        version = live.get("model.version") if moved and live else said["model.version"]
        return cls(
            address,
            str(said["model.format"] or "OpenAI"),
            str(said["model.name"] or ""),
            str(version or ""),
            str(said["sku.name"] or ""),
            int(said["sku.capacity"] or 0),
            live,
        )

    def already(self, version: str) -> bool:
        """True when exactly this model, version and SKU is live under the name."""
        wanted = {"model.format": self.format, "model.name": self.name, "model.version": version, "sku.name": self.sku}
        return bool(self.live) and all(_same(self.live.get(field), value) for field, value in wanted.items())


_FIELDS = ("model.format", "model.name", "model.version", "sku.name", "sku.capacity")


def check(
    asked: Sequence[Asked],
    offers: tuple[Offer, ...] | Unread | None,
    usages: Mapping[str, Usage] | Unread | None,
    *,
    kind: str,
    location: str,
    today: date,
) -> Iterator[Finding]:
    """Findings on all deployments; `kind` is the account's."""
    if not asked:
        return
    named = listed([item.address for item in asked])
    offers = Unread("it was not asked") if offers is None else offers
    if isinstance(offers, Unread):
        text = f"the models, versions and SKUs that {location} offers, for {named}"
        yield unverified(Topic.DEPLOYMENTS, text, offers)
    else:
        for item in asked:
            yield from _offered(item, offers, kind=kind, location=location, today=today)
    usages = Unread("it was not asked") if usages is None else usages
    what = f"the quota left in {location}, for {named}"
    if isinstance(usages, Unread):
        yield unverified(Topic.DEPLOYMENTS, what, usages)
    elif isinstance(offers, Unread):
        yield unverified(Topic.DEPLOYMENTS, what, Unread("which quota counts is among what was not read"))
    else:
        yield from _quota(asked, offers, usages, kind=kind, location=location)


def _offered(asked: Asked, offers: Sequence[Offer], *, kind: str, location: str, today: date) -> Iterator[Finding]:
    model = _of_model(asked, offers, kind)
    where = f"in {location} for accounts of kind {kind}"
    if not model:
        names = sorted({offer.name for offer in offers if _same(offer.kind, kind)})
        if not names:
            why = Unread("Azure names no models for accounts of this kind")
            yield unverified(Topic.DEPLOYMENTS, f"models {where}", why, asked.address)
            return
        text = f"the model {asked.name} is not offered {where}"
        yield _not_offered(asked, "", text, f"offered: {listed(names, 15)}")
        return
    offer = _version(asked, model)
    if offer is None:
        versions = sorted({each.version for each in model})
        what = f"version {asked.version}" if asked.version else "a default version"
        text, fix = f"{asked.name} is not offered with {what} {where}", f"offered: {listed(versions, 15)}"
        yield _not_offered(asked, asked.version, text, fix)
        return
    sku = _sku(asked, offer)
    label = f"{offer.name} {offer.version}"
    if sku is None:
        skus = sorted(each.name for each in offer.skus)
        text, fix = f"{label} is not offered as {asked.sku} {where}", f"offered: {listed(skus, 15) or 'none'}"
        yield _not_offered(asked, offer.version, text, fix)
        return
    status = offer.status.lower()
    if status in _BLOCKED and not asked.already(offer.version):
        text = f"{label} can no longer be deployed: Azure calls it {offer.status}"
        yield Finding(Topic.DEPLOYMENTS, State.PROBLEM, text, asked.address, _newer(model, offer))
        return
    if status in (*_BLOCKED, *_ENDING):
        text = f"{label} is on its way out: Azure calls it {offer.status}"
        yield Finding(Topic.DEPLOYMENTS, State.WARNING, text, asked.address, _newer(model, offer))
    else:
        text = f"{label} as {sku.name} is offered in {location}"
        yield Finding(Topic.DEPLOYMENTS, State.OK, text, asked.address)
    yield _retirement(asked, offer, sku, model, today)


def _retirement(asked: Asked, offer: Offer, sku: Sku, model: Sequence[Offer], today: date) -> Finding:
    label = f"{offer.name} {offer.version} as {sku.name}"
    day = sku.retires or offer.retires
    if day is None:
        why = Unread("Azure names no day")
        return unverified(Topic.DEPLOYMENTS, f"when {label} retires", why, asked.address)
    left = (day - today).days
    perhaps = " (the date may still move)" if offer.tentative else ""
    if left <= 0:
        text = f"{label} retired on {day}{perhaps}"
        return Finding(Topic.DEPLOYMENTS, State.PROBLEM, text, asked.address, _newer(model, offer))
    text = f"{label} retires on {day}{perhaps}, in {left:,} {'day' if left == 1 else 'days'}"
    if left <= SOON_DAYS:
        return Finding(Topic.DEPLOYMENTS, State.WARNING, text, asked.address, _newer(model, offer))
    return Finding(Topic.DEPLOYMENTS, State.OK, text, asked.address)


def _quota(
    asked: Sequence[Asked], offers: Sequence[Offer], usages: Mapping[str, Usage], *, kind: str, location: str
) -> Iterator[Finding]:
    """Only what comes on top of what the deployments hold counts: that is used already."""
    groups: dict[str, list[tuple[Asked, int]]] = {}
    for item in asked:
        name = _usage(item, offers, kind)
        if name is None:
            continue  # not offered, which was said
        groups.setdefault(name, []).append((item, item.capacity - _held(item)))
    for name, items in groups.items():
        address = items[0][0].address if len(items) == 1 else ""
        total = sum(item.capacity for item, _ in items)
        more = sum(extra for _, extra in items)
        by = "" if address else f" by {listed([item.address for item, _ in items])}"
        if more <= 0:
            text = f"capacity {total:,} asked{by}, no more than is held already"
            yield Finding(Topic.DEPLOYMENTS, State.OK, text, address)
            continue
        usage = usages.get(name.lower())
        if usage is None:
            why = Unread(f"Azure names no quota {name}" if name else "Azure does not say which quota counts")
            yield unverified(Topic.DEPLOYMENTS, f"the quota for capacity {total:,}{by}", why, address)
            continue
        left = max(0.0, usage.limit - usage.used)
        held = f", {total - more:,} of it held already" if more < total else ""
        text = f"capacity {total:,} asked{by}{held}, {left:,.0f} left of {usage.limit:,.0f} ({name} in {location})"
        if more <= left:
            yield Finding(Topic.DEPLOYMENTS, State.OK, text, address)
        else:
            fix = "lower sku.capacity, free quota of other deployments in the region, or ask Azure for more"
            yield Finding(Topic.DEPLOYMENTS, State.PROBLEM, text, address, fix)


def _held(asked: Asked) -> int:
    """What the deployment uses of the same quota now."""
    same = all(
        _same(asked.live.get(field), value)
        for field, value in (("model.format", asked.format), ("model.name", asked.name), ("sku.name", asked.sku))
    )
    return int(asked.live.get("sku.capacity") or 0) if asked.live and same else 0


def _usage(asked: Asked, offers: Sequence[Offer], kind: str) -> str | None:
    """The name of the quota; None where the deployment is not offered at all."""
    model = _of_model(asked, offers, kind)
    for offer in (_version(asked, model), *model):
        sku = _sku(asked, offer) if offer is not None else None
        if sku is not None:
            return sku.usage
    return None


def _not_offered(asked: Asked, version: str, text: str, fix: str) -> Finding:
    """What is live already goes on as it is; only making it anew would fail."""
    if asked.already(version):
        return Finding(Topic.DEPLOYMENTS, State.WARNING, f"{text}; the live deployment goes on", asked.address, fix)
    return Finding(Topic.DEPLOYMENTS, State.PROBLEM, text, asked.address, fix)


def _of_model(asked: Asked, offers: Iterable[Offer], kind: str) -> list[Offer]:
    return [
        offer
        for offer in offers
        if _same(offer.kind, kind) and _same(offer.name, asked.name) and _same(offer.format, asked.format)
    ]


def _version(asked: Asked, model: Sequence[Offer]) -> Offer | None:
    for offer in model:
        if _same(offer.version, asked.version) if asked.version else offer.default:
            return offer
    return None


def _sku(asked: Asked, offer: Offer) -> Sku | None:
    return next((sku for sku in offer.skus if _same(sku.name, asked.sku)), None)


def _newer(model: Sequence[Offer], offer: Offer) -> str:
    """The versions that last longer, the newest first."""
    better = sorted(
        (
            other.version
            for other in model
            if other.version != offer.version
            and other.status.lower() not in (*_BLOCKED, *_ENDING)
            and (other.retires is None or offer.retires is None or other.retires > offer.retires)
        ),
        reverse=True,
    )
    return f"change the version to {listed(better)}" if better else "change to another model"


def _same(one: object, other: object) -> bool:
    return str(one or "").lower() == str(other or "").lower()
