"""The memory of an instance: the events whose messages it has published."""

MAX_EVENTS = 20_000
"""The number of events that an instance remembers, at some 300 bytes each."""


class PublishedEvents:
    """The newest events whose messages the bus has accepted from this instance, at most `limit`.

    A user's document keeps the messages of an event until an instance that remembers the event commits it again.
    Memory costs nothing; to store that messages are out would cost a second write for each event.
    """

    def __init__(self, limit: int = MAX_EVENTS) -> None:
        self.limit = limit
        self._events: dict[tuple[str, str], None] = {}
        """User id and cause of each event, in the order in which they were added."""

    def add(self, user_id: str, cause: str) -> None:
        """Remember an event. The one added longest ago is forgotten if there are too many."""
        self._events[user_id, cause] = None
        if len(self._events) > self.limit:
            del self._events[next(iter(self._events))]

    def __contains__(self, event: tuple[str, str]) -> bool:
        return event in self._events
