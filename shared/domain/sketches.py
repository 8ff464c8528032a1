"""Sketches: hashed counts in documents of before counters were exact. They are read, and never grow.

A count-min sketch counts the names of every scope in shared cells: never too low (up to 35, where cells stop),
sometimes too high. What it counts can no longer be told by name, so it is kept as it is, and asked.

Cormode and Muthukrishnan (2005), https://doi.org/10.1016/j.jalgor.2003.12.001.
"""

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
"""The digits of a cell, base 36. A cell stops at 35, which is more than any cap."""


class Sketch(NamedTuple):
    """The hashed counts of one event, of triggers that left the document before counters were exact."""

    event: str
    cells: str
    """One digit of `DIGITS` for each cell. A name has a cell in each of two hash rows, which share all cells."""
    last_at: datetime
    """The time of the last of these events."""

    def estimate(self, scope: str, name: str) -> int:
        """The count of a name in a scope: exact or too high, never too low up to 35."""
        return min(DIGITS.index(self.cells[cell]) for cell in cells_of(scope, name, len(self.cells)))


def cells_of(scope: str, name: str, number: int) -> set[int]:
    """The cells of a name in both hash rows; a single one if the two hashes agree."""
    digest = blake2b(f"{scope}\0{name}".encode(), digest_size=4).digest()
    return {int.from_bytes(half) % number for half in (digest[:2], digest[2:])}
