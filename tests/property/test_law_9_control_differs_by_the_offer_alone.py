"""Law 9, control differs by the offer alone: the same wins, whoever is held out and whatever an arm offers."""

from typing import Any

from hypothesis import given

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event
from shared.domain.tallies import ISSUED, WITHHELD
from shared.domain.triggers import Trigger
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.histories import TERMS, USER, histories, in_order
from tests.support.lives import lives

MOMENTS = ["trial.started", "activated", "renewed", "payment.failed", "plan.changed", "auto_renew.off", "expired"]
some_history = histories(max_size=14) | lives()


def crowded(holdouts: dict[str, Any], nothing: str | None) -> Catalog:
    """A catalog whose campaigns share places, a group, caps and rests; arm `b` makes the offer `nothing`."""
    variants = [{"id": "a", "offer": "o", "weight": 0.5}, {"id": "b", "offer": nothing, "weight": 0.5}]
    about = {"offer": "o", "moments": MOMENTS}
    return compile_catalog(
        {
            "placements": {"p": {"channel": "in_app"}, "q": {"channel": "email", "holds": "decision"}},
            "offers": {"o": {"cms_ref": "o", "validity_hours": 100}, "n": {"cms_ref": "n", "validity_hours": 100}},
            "experiments": {"x": {"variants": variants}},
            "campaigns": {
                "first": {**about, "placement": "p", "priority": 90, "cap": {"max": 2, "window_days": 30}},
                "tried": {**about, "placement": "p", "priority": 80, "experiment": "x", "cool_down_hours": 96},
                "third": {**about, "placement": "q", "priority": 70, "exclusivity_group": "g"},
                "fourth": {**about, "placement": "p", "priority": 60, "exclusivity_group": "g"},
                "fifth": {**about, "placement": "q", "priority": 50, "cap": {"max": 3, "scope": "user"}},
            },
            "holdouts": holdouts,
        }
    )


FREE = crowded({}, nothing="n")
HELD = crowded({"all": {"percent": 100}}, nothing="n")
HALF = crowded({"one": {"percent": 100, "campaigns": ["first", "third"]}}, nothing=None)


def lived(catalog: Catalog, history: list[Event]) -> list[tuple[UserRecord, list[dict[str, Any]]]]:
    """The record after each event of a history, with the messages about triggers."""
    record, states = UserRecord(USER), []
    for event in in_order(history):
        done = process(record, event, event.occurred_at, Rules(catalog, TERMS))
        record = done.record
        states.append((record, [message.body for message in done.messages if message.topic == "upsell-trigger"]))
    return states


def alike(trigger: Trigger) -> tuple[object, ...]:
    """What must be the same of a trigger in every arm."""
    return (trigger.trigger_id, trigger.decided_at, trigger.expires_at, trigger.revoked, trigger.revoke_reason)


@given(some_history)
def test_the_same_wins_at_every_event_and_is_revoked_at_the_same(history: list[Event]) -> None:
    free = lived(FREE, history)
    for other in (HELD, HALF):
        for (record, _), (held, _) in zip(free, lived(other, history), strict=True):
            assert [alike(one) for one in held.triggers] == [alike(one) for one in record.triggers]
            assert held.assignments == record.assignments


@given(some_history)
def test_nobody_hears_of_what_was_withheld(history: list[Event]) -> None:
    assert not [body for _, told in lived(HELD, history) for body in told]
    for record, told in lived(HALF, history):
        withheld = {one.trigger_id for one in record.triggers if one.withheld}
        assert not withheld & {body["trigger_id"] for body in told}


@given(some_history)
def test_every_holdout_and_arm_of_nothing_is_withheld_and_nothing_else(history: list[Event]) -> None:
    for record, _ in lived(HALF, history):
        for one in record.triggers:
            held_out = one.campaign_id in {"first", "third"}
            assert one.withheld == ("holdout" if held_out else "variant" if one.variant == "b" else "")


@given(some_history)
def test_what_was_withheld_is_tallied_as_such(history: list[Event]) -> None:
    for record, _ in lived(HELD, history):
        assert {row.event for row in record.tallies.rows} <= {WITHHELD}
    for record, _ in lived(FREE, history):
        assert {row.event for row in record.tallies.rows} <= {ISSUED}
