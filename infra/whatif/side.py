"""One side of a comparison: what one catalog did to some users."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.assignments import Assignment


class Unit(NamedTuple):
    """A user, or one of a user's subscriptions, in one experiment."""

    experiment_id: str
    user_id: str
    unit: str
    """The subscription's id; empty for the user."""


class Side(Protocol):
    """A history of whole users under one catalog: all users of a replay, or a single one."""

    @property
    def catalog(self) -> Catalog:
        """The catalog that is in force at the end."""
        ...

    @property
    def events_read(self) -> int:
        """The number of lines of the history."""
        ...

    @property
    def dead_lettered(self) -> int:
        """The number of lines that were dead-lettered."""
        ...

    @property
    def assignments(self) -> Mapping[Unit, Assignment]:
        """Every assignment that users have at the end."""
        ...

    def messages(self, topic: Topic) -> Iterator[dict[str, Any]]:
        """The published messages of a topic; of one user in the order of publication."""
        ...
