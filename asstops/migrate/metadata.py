"""Metadata pairs, or Azure tags, that a spec can hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asstops.kinds.tags import RESERVED
from asstops.migrate.emit import literal
from asstops.migrate.naming import looks_secret, sound
from asstops.migrate.report import Ledger
from asstops.spec.credentials import is_credential_name

MAX_KEY, MAX_VALUE = 64, 512


def kept_pairs(
    metadata: Any,
    address: str,
    ledger: Ledger,
    *,
    most: int,
    taken: Mapping[str, str] = {},
    field: str = "metadata",
    lengths: tuple[int, int] = (MAX_KEY, MAX_VALUE),
) -> dict[str, str]:
    """Those pairs that the spec takes, at most `most`. `taken` are keys that another value needs, with what to do.

    `field` is where they stand, `lengths` the most characters that a key and a value may have.
    """
    if metadata is None or metadata == {}:
        return {}
    if not isinstance(metadata, Mapping):
        ledger.lost(address, field, "it is no map")
        return {}
    kept: dict[str, str] = {}
    for key, value in metadata.items():
        name = f"{field}.{sound(str(key))[:MAX_KEY]}"
        if key == RESERVED:
            continue  # the mark of an asstops that made it; the new object gets one of its own
        trouble = _trouble(str(key), value, taken, *lengths)
        if trouble:
            ledger.lost(address, name, *trouble)
        elif len(kept) == most:
            ledger.lost(address, name, f"at most {most} pairs are left beside asstops's own", "drop another one")
        else:
            text = value if isinstance(value, str) else _text(value)
            if text != value or sound(text) != text:
                ledger.changed(address, name, "it is text now")
            kept[sound(str(key))] = literal(sound(text))
    return kept


def _trouble(key: str, value: Any, taken: Mapping[str, str], max_key: int, max_value: int) -> tuple[str, str] | None:
    if key.lower() == RESERVED or key.lower().startswith(RESERVED + "."):
        return "the name is reserved for the mark of asstops", "choose another name"
    if key == "<<":
        return "YAML takes the name for its merge sign", "choose another name"
    if key in taken:
        return "the name is taken", taken[key]
    if not 1 <= len(key) <= max_key:
        return f"its name has {len(key)} characters, 1 to {max_key} are allowed", "shorten it"
    if len(value if isinstance(value, str) else _text(value)) > max_value:
        return f"it is longer than the {max_value} characters that are allowed", "shorten it"
    if is_credential_name(key):
        return "its name is a credential's, and those never stand in a spec", "choose another name if it is none"
    if looks_secret(value if isinstance(value, str) else _text(value)):
        return "it looks like a real key or token, and those never stand in a spec", "take it from the environment"
    return None


def _text(value: Any) -> str:
    return "true" if value is True else "false" if value is False else "" if value is None else str(value)
