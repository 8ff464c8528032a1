"""Moments: the ones that each happening brings, and the states in which each is still true."""

import pytest
from hypothesis import given, settings

from shared.domain.conditions import CONDITIONS, is_still_true
from shared.domain.events import Event, PaymentOutcome, Signal, cause_of
from shared.domain.moments import FOLLOW_UPS, NOT_TOLD, Moment, MomentKind
from shared.domain.subscription import Status
from tests.support.histories import histories, in_order
from tests.support.story import (
    TERMS,
    Story,
    after,
    auto_renew_off,
    auto_renew_on,
    awaited,
    cancelled,
    day,
    extended,
    failed,
    failed_next,
    paid,
    paused,
    payment,
    plan_changed,
    refund_reversed,
    refunded,
    resumed,
    signal,
    trial,
)

K = MomentKind


@pytest.mark.parametrize(
    ("before", "event", "moments"),
    [
        ([], trial(0), [K.TRIAL_STARTED]),
        ([], paid(0), [K.ACTIVATED]),
        ([], awaited(0), []),
        ([awaited(0)], paid(1), [K.ACTIVATED]),
        ([paid(0), cancelled(1)], paid(2), [K.ACTIVATED]),
        ([paid(0), refunded(1, start=0)], paid(2), [K.ACTIVATED]),
        ([trial(0)], paid(14), [K.TRIAL_CONVERTED]),
        ([trial(0)], paid(16), [K.TRIAL_CONVERTED]),
        ([trial(0), failed(14)], paid(16), [K.TRIAL_CONVERTED]),
        ([trial(0), paid(16)], paid(46), [K.RENEWED]),
        ([trial(0)], paid(30), [K.TRIAL_CONVERTED]),
        ([trial(0)], paid(10, start=14), [K.TRIAL_CONVERTED]),
        ([trial(0)], paid(0.1, start=0, end=14, amount=0), []),
        ([paid(0)], trial(5, ends=40), []),
        ([paid(0), failed(30)], trial(31, ends=40), [K.TRIAL_STARTED]),
        ([paid(0, start=9)], trial(1, ends=5), [K.TRIAL_STARTED]),
        ([trial(0)], trial(5, ends=30), []),
        ([paid(0)], awaited(29, start=30), []),
        ([paid(0, start=9)], paid(1, start=39), []),
        ([], paid(0, start=5), []),
        ([paid(0)], paid(30), [K.RENEWED]),
        ([paid(0)], paid(32), [K.RENEWED]),
        ([paid(0)], paid(1, start=0), []),
        ([paid(0, payment_id="p1")], paid(1, start=0, payment_id="p2"), []),
        ([paid(0, auto_renew=False), awaited(40)], paid(41), [K.ACTIVATED]),
        ([paid(0)], paid(30, plan="annual"), [K.RENEWED, K.PLAN_CHANGED]),
        ([paid(0)], paid(29, start=30, plan="annual"), [K.RENEWED]),
        ([paid(0)], plan_changed(1, "annual"), [K.PLAN_CHANGED]),
        ([paid(0)], plan_changed(1, "basic"), []),
        ([paid(0)], extended(1, end=45), []),
        ([paid(0), failed(30)], extended(31, end=45), []),
        ([paid(0), failed(30)], paid(31), [K.PAYMENT_RECOVERED]),
        ([paid(0), failed(29, start=30)], paid(30), [K.PAYMENT_RECOVERED]),
        ([paid(0), failed(30, grace_until=30.5)], paid(40), [K.PAYMENT_RECOVERED]),
        ([paid(0), failed(30), paid(31)], paid(61), [K.RENEWED]),
        ([paid(0)], failed(30), [K.PAYMENT_FAILED]),
        ([paid(0)], failed(29, start=30), [K.PAYMENT_FAILED]),
        ([paid(0)], failed(1, start=0), []),
        ([paid(0)], failed_next(29), [K.PAYMENT_FAILED]),
        ([paid(0)], failed(1, start=1, plan="max", final=True), []),
        ([paid(0), cancelled(1)], failed(2, start=30), []),
        ([paid(0)], failed(30, final=True), [K.PAYMENT_FAILED, K.EXPIRED]),
        ([paid(0)], failed(29, start=30, final=True), [K.PAYMENT_FAILED, K.AUTO_RENEW_OFF]),
        ([trial(0)], failed(14, final=True), [K.PAYMENT_FAILED, K.TRIAL_ENDED, K.EXPIRED]),
        ([paid(0)], auto_renew_off(1), [K.AUTO_RENEW_OFF]),
        ([paid(0), auto_renew_off(1)], auto_renew_off(2), []),
        ([paid(0), auto_renew_off(1)], auto_renew_on(2), [K.AUTO_RENEW_ON]),
        ([paid(0)], auto_renew_on(1), []),
        ([paid(0)], auto_renew_off(0), []),
        ([trial(0)], auto_renew_off(0), []),
        ([paid(0), paid(30)], auto_renew_off(30), []),
        ([paid(0, auto_renew=False)], auto_renew_off(1), []),
        ([paid(0), failed(30, grace_until=30.5)], auto_renew_off(40), [K.AUTO_RENEW_OFF, K.EXPIRED]),
        ([paid(0)], cancelled(1), [K.EXPIRED]),
        ([trial(0)], cancelled(1), [K.TRIAL_ENDED, K.EXPIRED]),
        ([paid(0)], cancelled(1, effective=9), []),
        ([paid(0)], paused(1), []),
        ([paid(0), paused(1, effective=2)], resumed(3), [K.RESUMED]),
        ([paid(0)], refunded(1, start=0), [K.REFUNDED]),
        ([paid(0), trial(5, ends=40)], refunded(6, start=0), [K.REFUNDED, K.TRIAL_STARTED]),
        ([paid(0)], refunded(1, start=0, partial=True), []),
        ([paid(0)], refunded(1, start=0, keeps_access=True), []),
        ([paid(0), refunded(1, start=0)], refund_reversed(2, start=0), []),
        ([paid(0)], refunded(1, start=0, payment_id="unknown"), [K.REFUNDED]),
        ([paid(0, payment_id="p1")], refunded(1, start=0, payment_id="p2"), []),
        ([], refunded(1, start=0), []),
        ([paid(0, end=365), paid(5, plan="max")], refunded(6, start=5), [K.REFUNDED, K.PLAN_CHANGED]),
        ([paid(0)], payment(PaymentOutcome.DISPUTE_LOST, 1, start=0), []),
        ([paid(0)], signal(Signal.DOWNGRADE_SCHEDULED, 1, to_plan="mini"), []),
        ([], auto_renew_off(0), []),
        ([], failed(0), []),
    ],
)
def test_each_event_brings_its_moments(before: list[Event], event: Event, moments: list[MomentKind]) -> None:
    story = after(*before).then(event)
    assert [moment.kind for moment in story.last if moment.at == event.occurred_at] == moments
    assert {moment.cause for moment in story.last if not moment.is_derived} <= {event.key.cause}


@pytest.mark.parametrize(
    ("story", "until", "moments"),
    [
        (after(trial(0)), 14, []),
        (after(trial(0)), 21, [K.TRIAL_ENDED]),
        (after(trial(0)), 81, [K.TRIAL_ENDED, K.EXPIRED]),
        (after(trial(0, auto_renew=False)), 14, [K.TRIAL_ENDED, K.EXPIRED]),
        (after(paid(0)), 97, [K.EXPIRED]),
        (after(paid(0), auto_renew_off(1)), 30, [K.EXPIRED]),
        (after(awaited(0)), 3, [K.EXPIRED]),
        (after(paid(0), paused(1, effective=5, resume=9)), 9, [K.PAUSED, K.RESUMED]),
        (after(paid(0), cancelled(1, effective=9)), 9, [K.EXPIRED]),
        (after(paid(0, start=5)), 5, [K.ACTIVATED]),
        (after(paid(0), trial(5, ends=40)), 30, [K.TRIAL_STARTED]),
        (after(paid(0), trial(5, ends=40, plan="max")), 30, [K.TRIAL_STARTED, K.PLAN_CHANGED]),
        (after(paid(0), paid(1, start=30, plan="max")), 30, [K.PLAN_CHANGED]),
        (after(paid(0, end=365), paid(5, end=35, plan="max")), 41.9, []),
        (after(paid(0, end=365), paid(5, end=35, plan="max")), 42, [K.PLAN_CHANGED]),
        (after(paid(0, end=365), paid(5, end=35, plan="max", auto_renew=False)), 35, [K.PLAN_CHANGED]),
        (after(trial(0), paid(10, start=14)), 14, []),
        (after(paid(0, auto_renew=False)), 30, [K.EXPIRED]),
        (after(paid(0), refunded(1, start=0)), 30, [K.EXPIRED]),
    ],
)
def test_time_brings_the_moments_of_ends_and_pauses(story: Story, until: float, moments: list[MomentKind]) -> None:
    assert story.brought(until) == moments


def test_payment_failed_comes_only_from_a_failed_payment() -> None:
    assert K.PAYMENT_FAILED not in after(paid(0)).brought(400)


def test_the_next_event_brings_the_moments_of_time_before_it_too() -> None:
    assert after(paid(0), auto_renew_off(1), paid(50)).moments == [K.EXPIRED, K.ACTIVATED]


def test_a_moment_of_time_has_one_cause_whether_read_or_folded() -> None:
    story = after(paid(0), auto_renew_off(1))
    read = story.history.at(day(40), TERMS)[1]
    folded = story.then(paid(50)).last
    assert [moment.cause for moment in read] == [moment.cause for moment in folded if moment.is_derived]


@pytest.mark.parametrize(
    ("before", "on", "event"),
    [
        ([paid(0), auto_renew_off(1)], 30, cancelled(30)),
        ([paid(0), auto_renew_off(1)], 30, cancelled(29)),
        ([trial(0, auto_renew=False)], 14, cancelled(14)),
        ([paid(0), paused(1, effective=5, resume=9)], 9, resumed(8)),
    ],
)
def test_an_end_has_one_cause_whether_time_or_an_event_brings_it(
    before: list[Event], on: float, event: Event
) -> None:
    """Otherwise an event that arrives after the clock's visit would bring a second offer for the same end."""
    story = after(*before)
    by_time = [(one.kind, one.cause) for one in story.history.at(day(on), TERMS)[1]]
    by_event = [(one.kind, one.cause) for one in story.then(event).last]
    assert by_time[-1] in by_event


@pytest.mark.parametrize("event", [plan_changed(1, "annual"), paid(1, plan="annual"), paid(30, plan="annual")])
def test_a_plan_change_that_an_event_brings_is_named_by_the_event(event: Event) -> None:
    (changed,) = [one for one in after(paid(0), event).last if one.kind is K.PLAN_CHANGED]
    assert (changed.cause, changed.is_derived) == (event.key.cause, False)


@pytest.mark.parametrize(
    ("story", "on", "which"),
    [
        (after(trial(0, auto_renew=False)), 14, {"trial.ended": "", "expired": ""}),
        (after(paid(0, start=5)), 5, {"activated": ""}),
        (after(paid(0), paused(1, effective=5, resume=9)), 9, {"paused": "", "resumed": ""}),
        (after(paid(0), paid(1, start=30, plan="max")), 30, {"plan.changed": cause_of("max")}),
        (after(awaited(0)), 3, {"expired": ""}),
    ],
)
def test_documents_remember_what_time_brings_by_names_that_never_change(
    story: Story, on: float, which: dict[str, str]
) -> None:
    """Another name would bring a second offer for each moment that was decided before."""
    grant = story.history.head.best.granted_by
    named = {f"{kind}/main/{part}/{grant}": kind for kind, part in which.items()}
    brought = story.history.at(day(on), TERMS)[1]
    assert {one.cause: one.kind for one in brought} == named
    assert max(one.at for one in brought) == day(on)


@settings(max_examples=30)
@given(histories())
def test_every_moment_names_its_subscription_its_instant_and_what_brought_it(events: list[Event]) -> None:
    story = Story()
    for event in in_order(events):
        story = story.then(event)
        assert {one.subscription_id for one in story.last} <= {event.subscription_id}
        for one in story.last:
            assert _is_named(one, event)
            assert one.at <= event.occurred_at
    for sub in story.history.head.subscriptions:
        brought = [one for one in story.history.at(day(400), TERMS)[1] if one.subscription_id == sub.id]
        assert all(sub.as_of is not None and sub.as_of < one.at <= day(400) for one in brought)
    assert {one.subscription_id for one in story.history.at(day(400), TERMS)[1]} <= {"main", "car"}


def _is_named(moment: Moment, event: Event) -> bool:
    """True if the moment bears the name of the event, or of its subscription and the grant that time ends."""
    if not moment.is_derived:
        return moment.cause == event.key.cause and moment.at == event.occurred_at
    kind, subscription_id, _, grant = moment.cause.split("/")
    return (kind, subscription_id, grant) == (moment.kind, moment.subscription_id, moment.grant)


IN_STATUS = {
    Status.NONE: (Story(), 0),
    Status.PENDING: (after(awaited(0)), 1),
    Status.TRIALING: (after(trial(0)), 1),
    Status.ACTIVE: (after(paid(0)), 1),
    Status.GRACE: (after(paid(0)), 31),
    Status.ON_HOLD: (after(paid(0)), 40),
    Status.PAUSED: (after(paid(0), paused(1, effective=2)), 3),
    Status.EXPIRED: (after(paid(0), cancelled(1)), 2),
    Status.REVOKED: (after(paid(0), refunded(1, start=0)), 2),
}
PAYING = {Status.TRIALING, Status.ACTIVE}
LIVE = {Status.PENDING, Status.GRACE, Status.ON_HOLD, Status.PAUSED} | PAYING
TRUE_IN = {
    K.TRIAL_STARTED: {Status.TRIALING},
    K.TRIAL_ENDING: {Status.TRIALING},
    K.TRIAL_CONVERTED: PAYING,
    K.TRIAL_ENDED: set(Status) - PAYING,
    K.ACTIVATED: PAYING,
    K.RENEWED: PAYING,
    K.PAYMENT_FAILED: set(),
    K.PAYMENT_RECOVERED: PAYING,
    K.PLAN_CHANGED: LIVE,
    K.AUTO_RENEW_OFF: {Status.PENDING},
    K.AUTO_RENEW_ON: LIVE - {Status.PENDING},
    K.PERIOD_ENDING: {Status.ACTIVE},
    K.PAUSED: {Status.PAUSED},
    K.PAUSED_ENDING: set(),
    K.RESUMED: PAYING | {Status.GRACE},
    K.EXPIRED: {Status.EXPIRED},
    K.LAPSED: {Status.EXPIRED},
    K.REFUNDED: {Status.REVOKED},
    K.CHURN_RISK_RAISED: LIVE,
    **{kind: set(Status) for kind in FOLLOW_UPS | NOT_TOLD},
}
"""For each moment, the stories above in which it is true."""


@pytest.mark.parametrize("kind", MomentKind)
def test_each_moment_has_a_condition_on_the_state(kind: MomentKind) -> None:
    true_in = {status for status, (story, on) in IN_STATUS.items() if CONDITIONS[kind](story.sub(on))}
    assert true_in == TRUE_IN[kind]


def test_a_failed_payment_is_worth_an_offer_until_it_recovers() -> None:
    failing = after(paid(0), failed(30))
    assert CONDITIONS[K.PAYMENT_FAILED](failing.sub(31))
    assert not CONDITIONS[K.PAYMENT_FAILED](failing.then(paid(31)).sub(31))


def test_a_moment_is_true_only_of_the_best_subscription() -> None:
    story = after(paid(0, sub="a"))
    assert is_still_true(story.account(1), K.ACTIVATED, "a", None)
    assert not is_still_true(story.then(paid(0.5, sub="b")).account(1), K.ACTIVATED, "a", None)
