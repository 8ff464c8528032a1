"""Messages about a user that wait in a pull subscription."""

from collections.abc import Iterator
from datetime import timedelta

from infra.raw.erased import Erased
from infra.remote.dead_letters import EMPTY_PULLS, LetterBus
from infra.remote.instants import standard
from infra.remote.pubsub import Received
from shared.contracts.inbound.envelope import Delivery

BATCH = 100


NO_TIME = timedelta(0)


def messages_about(
    bus: LetterBus,
    subscription: str,
    topic: str,
    erased: Erased,
    *,
    keep: bool = True,
    ahead: timedelta = NO_TIME,
) -> list[Received]:
    """The messages in a subscription that an erasure takes; unless `keep`, they leave it.

    Pub/Sub shows messages only by handing them out: all are pulled, and the others are returned at once. The
    clock of the functions is ahead of Pub/Sub's by `ahead`.
    """
    held: dict[str, Received] = {}
    try:
        for received in _pulled(bus, subscription, held):
            held[received.message_id] = received
        found = [each for each in held.values() if _is_about(erased, topic, each, ahead)]
        if found and not keep:
            bus.ack(subscription, found)
            for each in found:
                del held[each.message_id]
        return found
    finally:
        if held:
            bus.release(subscription, list(held.values()))


def _pulled(bus: LetterBus, subscription: str, held: dict[str, Received]) -> Iterator[Received]:
    """Messages until two pulls bring none that is not held: one is not enough, and a hold may have ended."""
    empty_pulls = 0
    while empty_pulls < EMPTY_PULLS:
        batch = bus.pull(subscription, BATCH)
        empty_pulls = 0 if any(each.message_id not in held for each in batch) else empty_pulls + 1
        yield from batch


def _is_about(erased: Erased, topic: str, received: Received, ahead: timedelta) -> bool:
    delivery = Delivery(received.data, dict(received.attributes), received.message_id)
    return erased.covers(topic, delivery, standard(received.publish_time) + ahead)
