"""Runs of decisioning cases: replayed, and through the pipeline in several orders with duplicates."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from infra.catalog.load import load_catalog
from infra.replay.replay import replay
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.arrival import Arrival
from shared.domain.errors import InvalidCatalog
from shared.domain.events import Event
from shared.domain.triggers import Trigger
from tests.support.case_runs import SMALLEST_STEP, orders
from tests.support.decisioning_cases import CATALOG, EVENTS, Case
from tests.support.decisioning_results import Told, wrong_in_any_order, wrong_in_order
from tests.support.fakes import MovableClock
from tests.support.pipeline import Pipeline
from tests.support.replays import Outcome

REFUSED_IN_DISORDER = "unknown_trigger"
"""The outcome of feedback that arrives before what led to its trigger."""


class CaseFails(Exception):
    """What is right for a case does not hold yet. A broken law of the pipeline is an `AssertionError` instead."""


def check(case: Case, out: Path) -> None:
    """Replay a case into `out`, and run it in other orders. Raises `CaseFails`, a sentence for each difference."""
    try:
        catalog = load_catalog(case.folder / CATALOG)
    except InvalidCatalog as error:
        raise CaseFails(str(error)) from error
    told = _replayed(case, out)
    found = {sentence: ["replayed"] for sentence in wrong_in_order(case.expected, told)}
    for order, each in [("replayed", told), *_runs(case, catalog)]:
        for sentence in wrong_in_any_order(case.expected, each):
            found.setdefault(sentence, []).append(order)
    if found:
        raise CaseFails("\n".join(f"{sentence} ({', '.join(where)})" for sentence, where in found.items()))


def _replayed(case: Case, out: Path) -> dict[str, Told]:
    done = Outcome(replay(case.folder / EVENTS, out, case.folder / CATALOG, case.expected.now), out)
    assert done.summary.dead_lettered == 0, "expected every event to be taken"
    triggers, decisions = done.rows("triggers"), done.rows("decisions")
    return {user: Told(_about(user, triggers), _about(user, decisions)) for user in case.events}


def _about(user: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted((row for row in rows if row["user_id"] == user), key=lambda row: row["sequence"])


def _runs(case: Case, catalog: Catalog) -> Iterator[tuple[str, Mapping[str, Told]]]:
    """Each order of delivery, the same for every user, and what was told in it."""
    ordered = {user: dict(orders(events)) for user, events in case.events.items()}
    for order in next(iter(ordered.values())):
        yield (
            order,
            {user: _lived(catalog, user, each[order], case.expected.now) for user, each in ordered.items()},
        )


def _lived(catalog: Catalog, user: str, deliveries: list[Event], until: datetime) -> Told:
    """Everything told about a user of these deliveries, each made when it occurred, or at once if that is past."""
    pipeline = Pipeline(catalog, user, MovableClock(min(event.occurred_at for event in deliveries)))
    done: set[str] = set()
    try:
        for event in deliveries:
            if (wait := event.occurred_at - pipeline.clock.now()) > timedelta():
                pipeline.pass_time(wait - SMALLEST_STEP)
                pipeline.clock.move_to(event.occurred_at)
            pipeline.deliver(event)
            done = _checked(pipeline, done)
        pipeline.pass_time(until - pipeline.clock.now())
        _checked(pipeline, done)
        pipeline.check_at_rest()
        pipeline.check_published()
    finally:
        pipeline.close()
    refused = pipeline.arrivals.keys() - {*Arrival, REFUSED_IN_DISORDER}
    assert not refused, f"expected every event to be taken, found {', '.join(refused)}"
    return Told(_messages(pipeline, Topic.UPSELL_TRIGGER), _messages(pipeline, Topic.DECISION))


def _checked(pipeline: Pipeline, done: set[str]) -> set[str]:
    """Check the user's triggers between two deliveries; the ids of those that are done."""
    triggers = pipeline.record.triggers
    check_places(triggers, pipeline.catalog, pipeline.clock.now())
    check_done(triggers, done)
    return {one.trigger_id for one in triggers if one.is_final and not one.revoked}


def check_places(triggers: Iterable[Trigger], catalog: Catalog, now: datetime) -> None:
    """Check that no placement that is held while a trigger is open has more of them than it may."""
    held = Counter(one.placement for one in triggers if one.holds_place(now))
    for name, number in held.items():
        place = catalog.document.placements[name]
        if place.holds == "open" and number > place.max_triggers:
            raise CaseFails(f"placement {name}: expected at most {place.max_triggers} open, found {number}")


def check_done(triggers: Iterable[Trigger], done: Collection[str]) -> None:
    """Check that what was accepted or converted before was not revoked since."""
    if revoked := [one.trigger_id for one in triggers if one.revoked and one.trigger_id in done]:
        raise CaseFails(f"expected no trigger to be revoked that is done, found {', '.join(revoked)}")


def _messages(pipeline: Pipeline, topic: Topic) -> list[dict[str, Any]]:
    once = {one.message_id: dict(one.body) for one in pipeline.bus.taken if one.topic == topic}
    return sorted(once.values(), key=lambda body: int(body["sequence"]))
