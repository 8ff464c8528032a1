"""One user's side of a comparison: the user's life by one catalog, computed where the user's events are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from infra.replay.life import DEAD_LETTERED, Arriving, steps_of
from infra.replay.world import World
from infra.whatif.side import Unit
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.assignments import Assignment
from shared.record.user_record import UserRecord

OF_CANDIDATE = ("campaign_id", "moment", "cause", "outcome", "reason", "detail")
"""The fields of a candidate that a comparison reads. The others are dropped, since a user may have a million."""


class UserSide(NamedTuple):
    """Implements `Side`."""

    catalog: Catalog
    events_read: int
    dead_lettered: int
    assignments: Mapping[Unit, Assignment]
    published: Mapping[str, list[dict[str, Any]]]
    """The triggers and decisions by topic."""

    def messages(self, topic: Topic) -> Iterator[dict[str, Any]]:
        """See `Side.messages`."""
        return iter(self.published.get(topic, ()))


def side_of(
    user_id: str, messages: Iterable[Arriving], world: World, catalog: Catalog, until: datetime
) -> UserSide:
    """The side of a user with these messages, in the order of their delivery, up to an instant (UTC).

    `catalog` is the one that this side is about; for a while `world` may have another one in force.
    """
    record = UserRecord(user_id)
    published: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    events_read = dead_lettered = 0
    for step in steps_of(record, messages, world, until):
        record = step.record
        events_read += step.arriving is not None
        dead_lettered += step.arriving is not None and step.outcome == DEAD_LETTERED
        for message in step.messages:
            if message.topic == Topic.UPSELL_TRIGGER:
                published[message.topic].append(message.body)
            elif message.topic == Topic.DECISION:
                published[message.topic].append(_without_details(message.body))
    assignments = {Unit(one.experiment_id, user_id, one.unit): one for one in record.assignments}
    return UserSide(catalog, events_read, dead_lettered, assignments, published)


def _without_details(decision: Mapping[str, Any]) -> dict[str, Any]:
    candidates = [{name: one[name] for name in OF_CANDIDATE} for one in decision["candidates"]]
    return {"user_id": decision["user_id"], "decided_at": decision["decided_at"], "candidates": candidates}
