"""Compare what is wanted with what is live and with what was last applied. Pure; knows rules, never a kind.

Three-way: a field that the spec changed since the last apply is *pending*, one that changed in the service is *drift*.
What was last applied is known by digest only, from the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asstops.digest import canonical, canonical_list
from asstops.forms import is_form_of
from asstops.mark import KEPT, is_ours, path_digest, value_digest
from asstops.model import (
    UNKNOWN,
    Action,
    Address,
    Body,
    Cause,
    FieldDiff,
    ItemDiff,
    Mark,
    Observed,
    Ref,
    Resource,
    Unknown,
)
from asstops.moves import Former, renamed
from asstops.rules import KindRules

Resolve = Callable[[Address], "str | Unknown"]
"""The remote id that an address will have, UNKNOWN when only the apply brings it."""
Label = Callable[[str, str], str]
"""(kind, remote id) -> the address that owns it as text, or the id itself."""

NOT_READABLE = "(not readable)"
SERVICE_DEFAULT = "(service default)"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, and the digests that the mark will hold once the object is as wanted."""

    diffs: tuple[FieldDiff, ...]
    fields: Mapping[str, str]
    stored: Mapping[str, str]
    notes: tuple[str, ...] = ()


def flatten(rules: KindRules, body: Body) -> dict[str, Any]:
    """Field paths to values: maps key by key (`metadata.owner`), the rest as it is, the mark left out."""
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if name in rules.shown_only:
            continue
        if name in rules.maps:
            flat.update({f"{name}.{key}": item for key, item in (value or {}).items() if not is_ours(key)})
        else:
            flat[name] = value
    return flat


def normal(rules: KindRules, path: str, value: Any) -> Any:
    """The form in which values of a field are compared."""
    if path in rules.unordered:
        value = canonical_list(value)
    if path in rules.defaults and value in rules.empty.get(path, ()):
        return rules.defaults[path]
    return value


def same(left: Any, right: Any) -> bool:
    """Equality of normal values; 1 equals 1.0, and an empty list equals nothing."""
    left, right = None if left == [] else left, None if right == [] else right
    if left is right or (isinstance(left, str) and isinstance(right, str)):
        return bool(left == right)
    return canonical(left) == canonical(right)


def resolve_refs(value: Any, resolve: Resolve) -> Any:
    """The value with remote ids in the place of Refs; UNKNOWN where an id is not known yet."""
    if isinstance(value, Ref):
        return resolve(value.address)
    if isinstance(value, list):
        return [resolve_refs(item, resolve) for item in value]
    return value


def field_digests(rules: KindRules, body: Body) -> dict[str, str]:
    """What the mark says of a wanted body: path digest -> value digest."""
    return {
        path_digest(path): _digest(rules, path, value)
        for path, value in flatten(rules, body).items()
        if path not in rules.unrecorded
    }


def compare(
    rules: KindRules,
    wanted: Resource,
    live: Observed,
    resolve: Resolve,
    label: Label,
    formers: Sequence[Former] = (),
    once: Label | None = None,
) -> Comparison:
    """Every field that must change to make `live` what `wanted` says, with the reason why.

    `formers` are ways in which the mark may name what it refers to, where keys have changed since. `once` labels as
    `label` does, and also what the spec may have referred to by id under a key that is the stack's own now.
    """
    mark = live.mark or Mark(stack="", key="")
    want, have = flatten(rules, wanted.body), flatten(rules, live.body)
    fields = field_digests(rules, wanted.body)
    diffs = [
        diff
        for path, value in want.items()
        if path not in rules.unrecorded  # else nothing that is live says so
        and (
            diff := _compare_field(rules, wanted, path, value, live, have, mark, fields, resolve, label, formers, once)
        )
        is not None
    ]
    removed, notes = _left_the_spec(rules, want, have, mark, label, pristine=live.pristine)
    stored = {k: form for k, form in mark.stored.items() if fields.get(k) == mark.fields.get(k) and form != KEPT}
    return Comparison(tuple(sorted((*diffs, *removed), key=lambda diff: diff.path)), fields, stored, notes)


def _compare_field(
    rules: KindRules,
    wanted: Resource,
    path: str,
    value: Any,
    live: Observed,
    have: Mapping[str, Any],
    mark: Mark,
    fields: Mapping[str, str],
    resolve: Resolve,
    label: Label,
    formers: Sequence[Former],
    once: Label | None,
) -> FieldDiff | None:
    key = path_digest(path)
    applied, now = mark.fields.get(key), fields[key]
    named = formers and path in rules.references
    if named and applied not in (None, now, live_digest(rules, path, have.get(path), label)):
        # The same said with keys of before is the same: what is live is labelled with those of now.
        said = (_digest(rules, path, renamed(value, former)) for former in formers)
        applied = now if applied in said else applied
    sensitive = path in wanted.sensitive
    if path in rules.unreadable:
        if applied == now or (applied is None and same(value, rules.defaults.get(path))):
            return None
        return FieldDiff(path, NOT_READABLE, display(value), sensitive=sensitive)
    if path in wanted.loose and applied == now:
        return None
    will_be = resolve_refs(value, resolve)
    unknown = _has_unknown(will_be)
    is_now = normal(rules, path, have.get(path))
    kind = rules.references.get(path)
    broken = _broken_items(is_now, live) if kind else {}
    if not broken and not unknown and same(normal(rules, path, will_be), is_now):
        return None
    pristine = live.pristine and mark.stored.get(key) != KEPT  # with KEPT it was changed before asstops wrote it again
    untouched = pristine and applied == now and not broken and not unknown
    if untouched and is_form_of(normal(rules, path, will_be), is_now, rules.forgettable.get(path, frozenset())):
        return None  # what the service made of exactly this
    found = live_digest(rules, path, is_now, label)
    if not broken and applied == now and mark.stored.get(key) == found:
        return None
    spec_changed = applied != now
    live_changed = applied is not None and found not in (applied, mark.stored.get(key))
    if kind is not None and spec_changed:
        # A file that left the spec has lost its key, so the digest cannot tell; an empty list or a foreign id can.
        live_changed = live_changed and (not is_now or _has_foreign(kind, is_now, label))
    if kind is not None and pristine:
        live_changed = False  # nobody can have changed it: what it refers to has another address by now, or none
    if kind is not None and live_changed and once is not None and live_digest(rules, path, is_now, once) == applied:
        spec_changed, live_changed = True, False  # it said `id:`, which the digest does not tell from `path:`
    cause = {
        (True, True): Cause.BOTH,
        (True, False): Cause.PENDING,
        (False, True): Cause.DRIFT,
        (False, False): Cause.DEPENDENCY,
    }[spec_changed, live_changed]
    if path in rules.hidden:
        after = f"sha256 {wanted.source.sha256}" if wanted.source is not None else None
        return FieldDiff(path, "other content", after, cause)
    shown = display(value)
    if kind is None:
        return FieldDiff(path, display(is_now), shown, cause, origin=wanted.origins.get(path, ""), sensitive=sensitive)
    return FieldDiff(
        path,
        _labelled(rules, path, is_now, label),
        shown,
        Cause.PENDING if broken and cause is Cause.DEPENDENCY else cause,
        items=_items(value, is_now, kind, resolve, label, broken),
        sensitive=sensitive,
    )


def _left_the_spec(
    rules: KindRules,
    want: Mapping[str, Any],
    have: Mapping[str, Any],
    mark: Mark,
    label: Label,
    *,
    pristine: bool,
) -> tuple[list[FieldDiff], tuple[str, ...]]:
    """Fields that the last apply set and the spec no longer names go back to the service's default."""
    diffs: list[FieldDiff] = []
    notes: list[str] = []
    for path in sorted({*rules.defaults, *have} - set(want)):
        key = path_digest(path)
        applied, form = mark.fields.get(key), mark.stored.get(key)
        if applied is None:
            continue
        is_now = normal(rules, path, have.get(path))
        if path.partition(".")[0] in rules.maps:
            if _digest(rules, path, is_now) == applied:
                diffs.append(FieldDiff(path, is_now, None))
            else:
                notes.append(f"{path} left the spec, but was changed outside asstops since; it is left as it is")
        elif path in rules.unreadable:
            diffs.append(FieldDiff(path, NOT_READABLE, SERVICE_DEFAULT))
        elif path in rules.defaults and not same(is_now, default := rules.defaults[path]):
            changed = (not pristine or form == KEPT) and live_digest(rules, path, is_now, label) not in (applied, form)
            cause = Cause.BOTH if changed else Cause.PENDING
            diffs.append(FieldDiff(path, _labelled(rules, path, is_now, label), default, cause))
    return diffs, tuple(notes)


def display(value: Any) -> Any:
    """A value as people and JSON see it: references as addresses, keys in order (so that a plan is always the same)."""
    if type(value) is str:
        return value
    if isinstance(value, Ref):
        return str(value.address)
    if isinstance(value, (list, tuple)):
        return [display(item) for item in value]
    if isinstance(value, Mapping):
        return {key: display(item) for key, item in sorted(value.items())}
    return value


def display_live(rules: KindRules, body: Body, label: Label) -> dict[str, Any]:
    """A live body as people and JSON see it: ids of our own objects as addresses, the mark left out."""
    return {
        path: {key: item for key, item in sorted((value or {}).items()) if not is_ours(key)}
        if path in rules.maps
        else display(_labelled(rules, path, value, label))
        for path, value in body.items()
        if path not in rules.hidden
    }


def live_digest(rules: KindRules, path: str, value: Any, label: Label) -> str:
    """What the mark would say of a live value, had the spec said it: ids of our own objects count as addresses."""
    labelled = _labelled(rules, path, normal(rules, path, value), label)
    return value_digest(None if labelled == [] else labelled)


def _digest(rules: KindRules, path: str, value: Any) -> str:
    value = normal(rules, path, display_refs(value))
    return value_digest(None if value == [] else value)


def display_refs(value: Any) -> Any:
    """As `display`, but only where references stand; other values stay untouched."""
    if isinstance(value, Ref):
        return str(value.address)
    if isinstance(value, list):
        return [display_refs(item) for item in value]
    return value


def _labelled(rules: KindRules, path: str, value: Any, label: Label) -> Any:
    kind = rules.references.get(path)
    if kind is None or value is None:
        return value
    if isinstance(value, list):
        labels = [label(kind, item) for item in value]
        return (canonical_list(labels) if path in rules.unordered else labels) or None
    return label(kind, value)


def _has_foreign(kind: str, value: Any, label: Label) -> bool:
    return any(
        item is not None and label(kind, item) == item for item in (value if isinstance(value, list) else [value])
    )


def _has_unknown(value: Any) -> bool:
    return value is UNKNOWN or (isinstance(value, list) and any(item is UNKNOWN for item in value))


def _broken_items(value: Any, live: Observed) -> dict[str, str]:
    ids = value if isinstance(value, list) else [value]
    return {item: live.problems[item] for item in ids if item in live.problems}


def _items(
    value: Any, is_now: Any, kind: str, resolve: Resolve, label: Label, broken: Mapping[str, str]
) -> tuple[ItemDiff, ...]:
    """What happens to each entry of a list of references, sorted by label.

    An id among the wanted ones is of an object of others that is to stay (`--on-drift keep`).
    """
    values = value if isinstance(value, list) else [value]
    refs = [ref for ref in values if isinstance(ref, Ref)]
    live_ids = [item for item in (is_now if isinstance(is_now, list) else [is_now]) if item is not None]
    live_set = set(live_ids)
    live_labels = {label(kind, item): item for item in live_ids}
    items: list[ItemDiff] = []
    kept = {item for item in values if isinstance(item, str)}
    for ref in refs:
        name, remote = str(ref.address), resolve(ref.address)
        if not isinstance(remote, Unknown) and remote in live_set:
            kept.add(remote)
            if remote in broken:
                items.append(ItemDiff(Action.UPDATE, name, f"{broken[remote]}; will be taken in again"))
        elif name in live_labels:
            kept.add(live_labels[name])
            items.append(ItemDiff(Action.UPDATE, name, "new content" if kind == "file" else "new object"))
        else:
            items.append(ItemDiff(Action.CREATE, name))
    items += [ItemDiff(Action.DELETE, label(kind, item)) for item in live_ids if item not in kept]
    return tuple(sorted(items, key=lambda item: (item.label, item.action.value)))
