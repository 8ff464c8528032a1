"""Runs of lifecycle cases through the pipeline: what is wrong in order, and in other orders with duplicates."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.arrival import Arrival
from shared.domain.events import Event
from shared.queries.user_view import summary
from tests.support.case_files import Case, Instant, shown
from tests.support.catalogs import CATALOGS, EVERYTHING
from tests.support.fakes import MovableClock
from tests.support.histories import TERMS
from tests.support.pipeline import Pipeline

SEEDS = (1, 2, 3)
SMALLEST_STEP = timedelta(microseconds=1)


def wrong_facts(case: Case) -> list[str]:
    """One sentence for each expectation that does not hold, with the orders of delivery in which it does not."""
    found: dict[str, list[str]] = {}
    for instant in case.expected.all_instants():
        for order, deliveries in orders(case.until(instant.now)):
            for difference in _differences(case, deliveries, instant):
                found.setdefault(difference, []).append(order)
    views = [f"{difference} ({', '.join(dict.fromkeys(orders))})" for difference, orders in found.items()]
    return [*views, *_wrong_triggers(case), *_wrong_moments(case)]


def orders(events: list[Event]) -> Iterator[tuple[str, list[Event]]]:
    """The events in order, and in three other orders with each event delivered twice."""
    yield "in order", events
    for seed in SEEDS:
        shuffled = events * 2
        Random(seed).shuffle(shuffled)  # noqa: S311 - the same orders in every run
        yield f"shuffled by {seed}", shuffled


def _differences(case: Case, deliveries: list[Event], instant: Instant) -> Iterator[str]:
    pipeline = _delivered(case, deliveries, instant.now, CATALOGS["default"])
    view = summary(pipeline.record, instant.now, TERMS)
    yield from (f"{shown(instant.now)}: {difference}" for difference in instant.differences(view))


# Triggers and moments are checked in order only, since only the subscription converges in any order: an offer
# cannot be unmade, and a decision made before a late event arrived was right by what had arrived until then.


def _wrong_triggers(case: Case) -> Iterator[str]:
    pipeline = _delivered(case, case.events, case.ends_at, CATALOGS["default"])
    triggers = (one.body for one in pipeline.bus.taken if one.topic == Topic.UPSELL_TRIGGER)
    issued = {body["campaign_id"] for body in triggers if body["kind"] == "issued"}
    must, must_not = case.expected.triggers_must, case.expected.triggers_must_not
    yield from (f"trigger {name}: expected one, found none" for name in sorted(must - issued))
    yield from (f"trigger {name}: expected none, found one" for name in sorted(must_not & issued))


def _wrong_moments(case: Case) -> Iterator[str]:
    """Check the moments by a catalog with a campaign for each kind, since a decision names no other moments."""
    pipeline = _delivered(case, case.events, case.ends_at, EVERYTHING)
    decisions = [one.body for one in pipeline.bus.taken if one.topic == Topic.DECISION]
    days = {(kind, f"{kind}@{body['decided_at'][5:10]}") for body in decisions for kind in body["moments"]}
    occurred = {name for names in days for name in names}
    must, must_not = case.expected.moments_must, case.expected.moments_must_not
    yield from (f"moment {name}: expected, not found" for name in sorted(must - occurred))
    yield from (f"moment {name}: not expected, found" for name in sorted(must_not & occurred))


def _delivered(case: Case, deliveries: list[Event], until: datetime, catalog: Catalog) -> Pipeline:
    """The pipeline at an instant after these deliveries, which satisfied all laws.

    An event is delivered when it occurs, or at once if that is past. As in a replay, a user who is due at the
    instant of a delivery is processed after it.
    """
    pipeline = Pipeline(catalog, case.expected.user, MovableClock(case.events[0].occurred_at))
    try:
        for event in deliveries:
            if event.occurred_at > pipeline.clock.now():
                pipeline.pass_time(event.occurred_at - pipeline.clock.now() - SMALLEST_STEP)
                pipeline.clock.move_to(event.occurred_at)
            pipeline.deliver(event)
        pipeline.pass_time(until - pipeline.clock.now())
        pipeline.check_at_rest()
        pipeline.check_published()
    finally:
        pipeline.close()
    refused = pipeline.arrivals.keys() - set(Arrival)
    assert not refused, f"expected every event to be taken, found {', '.join(refused)}"
    return pipeline
