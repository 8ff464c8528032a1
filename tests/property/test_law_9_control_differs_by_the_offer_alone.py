"""Law 9, control differs by the offer alone: the same wins, whoever is held out and whatever an arm offers.

Histories without feedback are lived under four catalogs that differ in holdouts and in what arm `b` offers. After
every event and every tick, the four documents differ in `withheld` and in their messages alone.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind, PaymentOutcome, PaymentReported, TimePassed
from shared.domain.tallies import ISSUED, WITHHELD, Tallies
from shared.domain.triggers import Trigger
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.histories import DAY, START, TERMS, USER, histories, in_order, made
from tests.support.lives import lives

MOMENTS = ["trial.started", "activated", "renewed", "payment.failed", "plan.changed", "auto_renew.off", "expired"]
MILESTONES = {"trial.ending": [3, 1], "lapsed": [7, 30], "period.ending": [2], "paused.ending": ["36h"]}
AFTER_A_BEGINNING = ["activated@7", "trial.started@3"]
some_history = histories(max_size=14) | lives()


def crowded(holdouts: dict[str, Any], arm_b: str | None) -> Catalog:
    """A catalog whose campaigns share places, a group, caps and rests, and are deferred at midnight."""
    about: dict[str, Any] = {"offer": "o", "moments": [*MOMENTS, *MILESTONES, *AFTER_A_BEGINNING]}
    in_group, quiet = {**about, "exclusivity_group": "g"}, {"start": "22:00", "end": "07:00"}
    variants = [{"id": "a", "offer": "o", "weight": 0.0}, {"id": "b", "offer": arm_b, "weight": 1.0}]
    offers = {"o": 100, "n": 100, "last": 30}
    return compile_catalog(
        {
            "milestones": MILESTONES,
            "placements": {
                "p": {"channel": "in_app", "fallback": "last"},
                "q": {"channel": "email", "holds": "decision"},
            },
            "channels": {"email": {"days": ["mon-fri"], "cap": {"max": 2, "calendar_days": 1}}},
            "offers": {name: {"cms_ref": name, "validity_hours": hours} for name, hours in offers.items()},
            "audiences": {"payers": {"all": [{"has_paid": "subscription.first_paid_at != null"}]}},
            "experiments": {"x": {"variants": variants}},
            "campaigns": {
                "first": {**about, "placement": "p", "priority": 90, "cap": {"max": 2, "window_days": 30}},
                "tried": {**about, "placement": "p", "priority": 80, "experiment": "x", "cool_down_hours": 96},
                "third": {**in_group, "placement": "q", "priority": 70, "audience": "payers"},
                "fourth": {**in_group, "placement": "p", "priority": 60},
                "fifth": {**about, "placement": "q", "priority": 50, "cap": {"max": 3, "scope": "user"}},
                "sixth": {**about, "placement": "q", "priority": 40, "quiet_hours": quiet},
            },
            "holdouts": holdouts,
        }
    )


FREE = crowded({}, arm_b="n")
WITHHOLDING = {
    "an arm of nothing": crowded({}, arm_b=None),
    "all held out": crowded({"all": {"percent": 100}}, arm_b="n"),
    "both": crowded({"some": {"percent": 100, "campaigns": ["first", "third"]}}, arm_b=None),
}
each_withholding = pytest.mark.parametrize("name", WITHHOLDING)
"""By name, so that a failure does not print a catalog."""


class Moment(NamedTuple):
    """A user's record after one event or tick, and the messages that it brought."""

    record: UserRecord
    told: list[tuple[str, dict[str, Any]]]


def lived(catalog: Catalog, history: list[Event]) -> Iterator[Moment]:
    """The record after each event of a history, in order, and after each tick in between and for 40 days after."""
    record, rules = UserRecord(USER), Rules(catalog, TERMS)
    events = in_order(history)
    end = made(-1, events[-1].occurred_at + 40 * DAY, Topic.LIFECYCLE_DUE, TimePassed())
    for event in (*events, end):
        while (due := record.next_due_at) and due < event.occurred_at:
            yield (moment := _after(record, made(-1, due, Topic.LIFECYCLE_DUE, TimePassed()), rules))
            record = moment.record
        yield (moment := _after(record, event, rules))
        record = moment.record


def _after(record: UserRecord, event: Event, rules: Rules) -> Moment:
    done = process(record, event, event.occurred_at, rules)
    return Moment(done.record, [(message.topic, message.body) for message in done.messages])


def alike(record: UserRecord) -> UserRecord:
    """The record without what may differ: `withheld`, the offer of an arm, the catalog, and the messages."""
    triggers = tuple(one._replace(withheld="", catalog_version="", offer_id="") for one in record.triggers)
    won = Counter[tuple[str, str, str]]()
    for row in record.tallies.rows:
        for count in row.counts if row.scope != "offer" else ():
            won[row.scope, row.name, count.event if count.event != WITHHELD else ISSUED] += count.number
    tallies = Tallies(tuple(sorted(won.items())))  # type: ignore[arg-type]
    return record._replace(triggers=triggers, tallies=tallies, pending=(), sequence=0)


@each_withholding
@given(some_history)
def test_documents_differ_in_what_was_withheld_alone(name: str, history: list[Event]) -> None:
    for free, held in zip(lived(FREE, history), lived(WITHHOLDING[name], history), strict=True):
        assert alike(held.record) == alike(free.record)


@each_withholding
def test_older_triggers_are_tallied_alike(name: str) -> None:
    """Sixty renewals bring more triggers than a document holds one by one."""
    history = [renewal(number) for number in range(60)]
    *_, (free, _) = lived(FREE, history)
    *_, (held, _) = lived(WITHHOLDING[name], history)
    assert free.tallies.rows
    assert alike(held) == alike(free)
    assert WITHHELD in {count.event for row in held.tallies.rows for count in row.counts}


def renewal(number: int) -> Event:
    at = START + number * 10 * DAY
    paid = PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 999, "EUR", at, at + 10 * DAY)
    return made(number, at, Topic.PAYMENT, paid)


@each_withholding
@given(some_history)
def test_what_a_holdout_or_an_arm_of_nothing_covers_is_withheld_and_nothing_else(
    name: str, history: list[Event]
) -> None:
    for record, _ in lived(WITHHOLDING[name], history):
        assert [one.withheld for one in record.triggers] == [expected(name, one) for one in record.triggers]


def expected(name: str, trigger: Trigger) -> str:
    """The reason why a catalog withholds a trigger of this user; empty if it gives it."""
    if WITHHOLDING[name].campaigns[trigger.campaign_id].holdouts:
        return "holdout"
    return "variant" if trigger.variant == "b" and name != "all held out" else ""


@each_withholding
@given(some_history)
def test_one_suppressed_exposure_tells_what_was_withheld_and_no_other_message_does(
    name: str, history: list[Event]
) -> None:
    withheld, suppressed, others = dict[str, str](), Counter[tuple[str, str]](), set[str]()
    for record, told in lived(WITHHOLDING[name], history):
        withheld |= {one.trigger_id: one.withheld for one in record.triggers if one.withheld}
        for topic, body in told:
            if topic == Topic.EXPOSURE and body["reason"] in {"holdout", "variant"}:
                suppressed[body["trigger_id"], body["reason"]] += 1
            elif topic == Topic.UPSELL_TRIGGER:
                others.add(body["trigger_id"])
    assert suppressed == Counter(withheld.items())
    assert others.isdisjoint(withheld)


@given(some_history)
def test_feedback_on_what_was_withheld_is_refused(history: list[Event]) -> None:
    rules = Rules(WITHHOLDING["both"], TERMS)
    *_, (record, _) = lived(rules.catalog, history)
    for number, trigger in enumerate(record.triggers):
        fact = FeedbackGiven(trigger.trigger_id, FeedbackKind.CLICKED)
        event = made(number, trigger.decided_at, Topic.TRIGGER_FEEDBACK, fact)
        if trigger.withheld:
            with pytest.raises(Rejected, match="unknown_trigger"):
                _after(record, event, rules)
        else:
            assert _after(record, event, rules).record.triggers != record.triggers
