"""Small changes to the text of a spec that leave every other character as it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from asstops.errors import Location
from asstops.migrate.emit import scalar
from asstops.spec.spans import Spot, spots

BOM = "\ufeff"


class Edited:
    """The text of one file, what stands where in it, and the changes so far."""

    def __init__(self, shown: str, text: str) -> None:
        self.shown = shown
        self._bom = BOM if text.startswith(BOM) else ""
        self.text = text.removeprefix(BOM)
        self.documents = [spot for spot in spots(self.text) if spot.entries is not None]
        self._eol = "\r\n" if "\r\n" in self.text else "\n"
        self._changes: dict[tuple[int, int, str], None] = {}  # in the order in which they were asked for

    def at(self, spot: Spot) -> Location:
        """Where a spot begins, for people."""
        before = self.text[: spot.start]
        return Location(self.shown, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)

    def result(self) -> str:
        """The text with all changes; what is taken out twice is taken out once."""
        made, end = [], 0
        for start, stop, new in sorted(self._changes, key=lambda change: change[:2]):
            if stop < end:
                continue
            made += [self.text[end:start], new]
            end = stop
        return self._bom + "".join(made) + self.text[end:]

    def _change(self, start: int, end: int, new: str) -> None:
        self._changes[start, end, new] = None

    def set(self, spot: Spot, value: str) -> None:
        """Write another text in the place of a scalar; its quotes stay where they fit."""
        quotes = spot.style in ("'", '"') and re.fullmatch(r"[^'\"\\\s]+", value) is not None
        if spot.start == spot.end:  # nothing stands there yet
            self._change(spot.start, spot.end, f" {scalar(value)}")
            return
        anchor = self._anchor(spot)
        self._change(spot.start, spot.end, anchor + (f"{spot.style}{value}{spot.style}" if quotes else scalar(value)))

    def append(self, spot: Spot, ending: str) -> None:
        """Add plain characters to the end of a scalar."""
        end = spot.end - 1 if spot.style in ("'", '"') else spot.end
        self._change(end, end, ending)

    def insert_after(self, owner: Spot, key: str, line: str) -> None:
        """A further entry of a map, below (or, in flow style, behind) the one of `key`."""
        assert owner.entries is not None
        where, value = owner.keys[key], owner.entries[key]
        end = max(where.end, value.end)
        if owner.flow:
            self._change(end, end, f", {line}")
            return
        margin = where.start - (self.text.rfind("\n", 0, where.start) + 1)
        stop = self.text.find("\n", end)
        if stop < 0:
            self._change(len(self.text), len(self.text), f"{self._eol}{' ' * margin}{line}")
        else:
            self._change(stop + 1, stop + 1, f"{' ' * margin}{line}{self._eol}")

    def remove_items(self, owner: Spot, key: str, gone: Sequence[int]) -> None:
        """Take entries out of the list under a key."""
        listed = owner.entries[key] if owner.entries is not None else None
        items = listed.items if listed is not None else None
        if listed is None or not items or not gone:
            return
        if len(gone) == len(items):
            self._empty(owner.keys[key], listed)
            return
        for index in gone:
            item = items[index]
            if not listed.flow:
                start = self.text.rfind("\n", 0, item.start) + 1
                stop = self.text.find("\n", item.end)
                self._change(start, len(self.text) if stop < 0 else stop + 1, "")
            elif index + 1 < len(items):
                self._change(item.start, items[index + 1].start, "")
            else:
                self._change(items[index - 1].end, item.end, "")

    def _empty(self, where: Spot, listed: Spot) -> None:
        anchor = self._anchor(listed)
        if listed.flow:
            self._change(listed.start, listed.end, f"{anchor}[]")
        else:
            alias = where.end > listed.start  # the list stands under another key, and is edited there
            colon = self.text.rfind(":", 0, listed.start) if alias else self.text.find(":", where.end)
            self._change(colon + 1, listed.end, f" {anchor}[]")

    def _anchor(self, spot: Spot) -> str:
        found = re.match(r"&[^\s,\[\]{}]+", self.text[spot.start : spot.end])
        return f"{found.group()} " if found else ""
