"""The dead letters that the console shows: those that wait in Pub/Sub, or those in a replay's raw log."""

from functools import partial
from pathlib import Path
from typing import Protocol

from infra.console.sources import Sources
from infra.raw.reader import messages_of
from infra.remote.dead_letters import Letter, UnreadableLetter, read_letter
from infra.remote.letter_box import FRESH_SECONDS, LetterBox, Letters
from infra.remote.letter_records import keep
from infra.remote.pubsub import Received
from infra.topology import Topology, load
from shared.queries.past_log import Logged

NONE = Letters((), 0)


class LetterSource(Protocol):
    """Tells the dead letters."""

    def letters(self, max_age: float = FRESH_SECONDS) -> Letters:
        """All dead letters, read at most `max_age` seconds ago. Raises `InfraError` or `OSError`."""
        ...


class LoggedLetters:
    """The dead letters in a raw log, whatever became of them since."""

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._topology = folder, load()

    def letters(self, max_age: float = FRESH_SECONDS) -> Letters:  # noqa: ARG002 - the log is always read
        """Every dead letter of the log."""
        if self._folder is None:
            return NONE
        logged = messages_of(self._folder, [self._topology.dead_letter.topic]).messages
        read = [_letter(each, self._topology) for each in reversed(logged)]
        whole = tuple(filter(None, read))
        return Letters(whole, len(read) - len(whole))


def letters_of(sources: Sources) -> tuple[LetterSource, LetterBox | None]:
    """The source of letters, and the box to deal with them, if there is one."""
    if sources.running is None:
        return LoggedLetters(sources.log.folder if sources.log else None), None
    box = LetterBox(sources.running.bus, load(), partial(keep, sources.running.firestore))
    return box, box


def _letter(logged: Logged, topology: Topology) -> Letter | None:
    _, published_at, delivery = logged
    message = Received(delivery.message_id or "", delivery.data, delivery.attributes, published_at, ack_id="")
    try:
        return read_letter(message, topology)
    except UnreadableLetter:
        return None
