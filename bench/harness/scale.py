"""How large a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`quick` is a tenth of the size and fewer repetitions, to see that a benchmark still works."""

    quick: bool = False

    def of(self, count: int) -> int:
        """A number of objects, files or bytes at this scale."""
        return max(1, count // 10) if self.quick else count

    def times(self, count: int) -> int:
        """How often to repeat what is short."""
        return max(3, count // 4) if self.quick else count
