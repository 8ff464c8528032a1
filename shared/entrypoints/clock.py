"""The entry point for the scheduler's ticks, in a module of its own: a function of events carries no clock."""

from collections import Counter

from shared.application.tick import Ticker
from shared.contracts.inbound.envelope import Delivery, parse_clock
from shared.contracts.topics import Topic
from shared.entrypoints.deliver import DeliveryResult
from shared.entrypoints.pubsub import Function, push_function
from shared.wiring import Wiring


def clock_function(topic: Topic) -> Function:
    """The function that publishes a message for each due user, tick by tick."""
    return push_function(topic, _tick)


AT_WORK: Counter[int | str] = Counter()
"""The number of ticks that this process runs at present, by shard and by the tick's id."""


async def _tick(wired: Wiring, _topic: str, delivery: Delivery) -> DeliveryResult:
    if wired.due_users is None:
        raise LookupError("expected the index of due users, found none")
    tick = parse_clock(delivery)
    ticker = Ticker(wired.due_users, wired.publisher, wired.clock, AT_WORK)
    own_id = delivery.message_id or ""
    ticked = await ticker.tick(tick.shards, tick.tick_id or own_id, continues=tick.tick_id is not None)
    return DeliveryResult("ticked", {"due_users": ticked.due_users, "left": len(ticked.left)})
