"""The dead letters of a running Upbeat for a reader who takes his time: none is kept from others meanwhile.

Pub/Sub shows messages only by handing them out. So all letters are pulled and returned at once, and what was read
is remembered for a few seconds. To deal with a letter, it is pulled again.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from infra.errors import InfraError
from infra.remote.dead_letters import HeldLetters, Letter, LetterBus
from infra.remote.letter_records import Action, LetterRecord, record_of
from infra.topology import Topology

FRESH_SECONDS = 5.0
"""The age up to which letters that were read are as good as those that would be pulled now."""
REMEMBERED_SECONDS = 120.0
"""The same for a reader who is in the midst of them: on the next page of a list, or at one letter."""

Keep = Callable[[LetterRecord], None]
"""Stores the record of what became of a letter."""


class Letters(NamedTuple):
    """The dead letters as they were read."""

    readable: tuple[Letter, ...]
    """The newest first."""
    unreadable: int
    """Messages that are no whole letters of a known topic; nothing can be done with them but to look at them."""


class LetterGone(InfraError):
    """A letter that is not among the dead letters any more, or that somebody else is reading."""

    def __init__(self) -> None:
        super().__init__(
            "the letter is not among the dead letters now: it was sent back or dropped, or somebody else is"
            " reading them at this moment"
        )


class LetterBox:
    """Reads the dead letters and deals with single ones; safe to use from several threads."""

    def __init__(self, bus: LetterBus, topology: Topology, keep: Keep) -> None:
        self._bus, self._topology, self._keep = bus, topology, keep
        self._lock = threading.Lock()
        self._read: Letters | None = None
        self._read_at = 0.0

    def letters(self, max_age: float = FRESH_SECONDS) -> Letters:
        """All letters that nobody else holds, read at most `max_age` seconds ago. Raises `InfraError`."""
        with self._lock:
            if self._read is None or time.monotonic() - self._read_at > max_age:
                with self._held() as held:
                    held.fill()
                self._read = _newest_first(held)
                self._read_at = time.monotonic()
            return self._read

    def send_back(self, letter_id: str, at: datetime, by: str, why: str, mended: bytes | None = None) -> str:
        """Publish a letter to its topic, as it is or mended, and keep that on record; the new message's id.

        Further copies of the letter that come along are removed with it. Raises `LetterGone`.
        """
        with self._lock, self._held() as held:
            first, *copies = self._found(held, letter_id)
            letter, action = held.readable[first], Action.RESENT if mended is None else Action.MENDED
            published = held.send_back(first, mended)
            self._keep(record_of(letter, action, at, by, why, published, mended))
            self._remove(held, copies)
        return published

    def drop(self, letter_id: str, at: datetime, by: str, why: str) -> None:
        """Remove a letter and its copies for good, and keep that on record. Raises `LetterGone`."""
        with self._lock, self._held() as held:
            found = self._found(held, letter_id)
            # On record first: a letter that is recorded twice is better than one that is gone without a word.
            self._keep(record_of(held.readable[found[0]], Action.DROPPED, at, by, why))
            self._remove(held, found)

    def _held(self) -> HeldLetters:
        return HeldLetters(self._bus, self._topology)

    def _found(self, held: HeldLetters, letter_id: str) -> list[str]:
        """The messages with a letter, which is no longer remembered. Raises `LetterGone` if there is none."""
        if self._read:
            others = tuple(letter for letter in self._read.readable if letter.id != letter_id)
            self._read = self._read._replace(readable=others)
        found = held.look_for(letter_id)
        if not found:
            raise LetterGone
        return found

    def _remove(self, held: HeldLetters, message_ids: list[str]) -> None:
        for message_id in message_ids:
            held.drop(message_id)


def _newest_first(held: HeldLetters) -> Letters:
    order = sorted(
        held.readable, key=lambda message_id: (held.received[message_id].publish_time, message_id), reverse=True
    )
    return Letters(tuple(held.readable[each] for each in order), len(held.received) - len(held.readable))
