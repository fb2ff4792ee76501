"""Texts of live objects -> values of a spec, as they are or not at all. Pure.

A field that the spec leaves out is not compared: so what the spec cannot say stays on the live object as it is.
"""

from __future__ import annotations

from typing import Any

from asstops.migrate.emit import literal
from asstops.migrate.naming import looks_secret, sound
from asstops.migrate.report import Ledger

STAYS = "it is left out and stays as it is"
SECRET = "something in it looks like a real key or token, and those never stand in a spec"  # noqa: S105 - no password


def plain_text(value: Any, field: str, most: int, address: str, ledger: Ledger) -> str:
    """The text if a spec can hold it, else ""; why not is noted."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        ledger.lost(address, field, f"it is no text; {STAYS}")
        return ""
    if looks_secret(value):
        ledger.lost(address, field, f"{SECRET}; {STAYS}", "write it without that")
        return ""
    if sound(value) != value:
        ledger.lost(address, field, f"there is half a surrogate pair in it, which no file can hold; {STAYS}")
        return ""
    if len(value) > most:
        told = f"it has {len(value):,} characters, and a spec holds at most {most:,}; {STAYS}"
        ledger.lost(address, field, told)
        return ""
    return value


def short_text(value: str, field: str, most: int, address: str, ledger: Ledger, *, cut: bool) -> str:
    """The text for a line of the spec. `cut`: where it is too long, its beginning is better than none of it."""
    if cut and (len(value) > most or sound(value) != value):
        ledger.changed(address, field, f"it is cut to {most} sound characters; the next apply writes that")
        value = sound(value)[:most]
    return literal(plain_text(value, field, most, address, ledger))
