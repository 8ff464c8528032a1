"""Notes: what became of the events and messages of one user, and what is known to be missing."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.moments import MomentKind


@dataclass(slots=True)
class Notes:
    """Notes that are taken while a user's document is made again."""

    counts: Counter[str] = field(default_factory=Counter)
    """Counts of what was read and restored, by name."""
    gaps: dict[str, None] = field(default_factory=dict)
    """Sentences about what is known to be missing, each once."""
    made: set[str] = field(default_factory=set)
    """The ids of all triggers that were made, also of those that became tallies since."""
    kinds: set[MomentKind] = field(default_factory=set)
    """The kinds of all moments that were told."""
    is_out_of_order: bool = False
    """True if an event came after one that occurred later."""
    newest: datetime | None = None
    """The latest instant (UTC) at which an event occurred so far."""

    def note_order(self, occurred_at: datetime) -> None:
        """Note that one more event came."""
        self.is_out_of_order |= self.newest is not None and occurred_at < self.newest
        self.newest = max(occurred_at, self.newest or occurred_at)

    def lacks(self, sentence: str) -> None:
        """Note that something is missing."""
        self.gaps[sentence] = None
