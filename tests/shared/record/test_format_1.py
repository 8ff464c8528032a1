"""Format 1: records of the version before the ledger are read as the same users, and written back as of today.

`format_1.json` holds records as that version wrote them, with the state that it showed. Each is there twice: with
its events in the ring, and with all of them folded into the base, as in records that have grown too large.
"""

import zlib
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.inbound.validation import validate
from shared.domain.account import Account
from shared.domain.arrival import Arrival
from shared.domain.conditions import is_still_true
from shared.domain.deadlines import advance
from shared.domain.errors import Rejected
from shared.domain.events import Event, Fact, PaymentOutcome, PaymentReported, TimePassed
from shared.domain.history import History
from shared.domain.moments import MomentKind
from shared.domain.ring import place_of
from shared.domain.subscription import RANK, Said, Status, Subscription
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.codec import UnreadableRecord, pack, unpack
from shared.record.format_1 import FormerPayment, FormerSubscription, Replaced, migrated
from shared.record.user_record import UserRecord
from tests.support.catalogs import CATALOGS, EVERYTHING
from tests.support.histories import (
    DAY,
    START,
    TERMS,
    booleans,
    instants,
    made,
    maybe_instants,
    maybe_plans,
    payment_ids,
)

RECORDS: dict[str, Any] = orjson.loads((Path(__file__).parent / "format_1.json").read_bytes())
RULES = Rules(CATALOGS["default"], TERMS)
HOUR = timedelta(hours=1)
each = pytest.mark.parametrize("name", sorted(RECORDS))
both = pytest.mark.parametrize("place", ["ring", "base"])


def read(name: str, place: str) -> UserRecord:
    return unpack(b64decode(RECORDS[name][place]))


def read_at(name: str) -> datetime:
    return datetime.fromisoformat(RECORDS[name]["at"])


def last_event(name: str) -> Event:
    told = RECORDS[name]["last_event"]
    return validate(EVENTS[told["topic"]], told["content"]).to_event()


def event(record: UserRecord, at: datetime, fact: Fact) -> Event:
    return made(1000, at, "payment", fact)._replace(user_id=record.user_id)


def paid(start: datetime, plan: str = "premium") -> PaymentReported:
    return PaymentReported(PaymentOutcome.SUCCEEDED, plan, 999, "EUR", start, start + 30 * DAY, payment_id="new")


def shown(sub: Subscription) -> dict[str, Any]:
    """The state as `format_1.json` has it."""
    return {
        "status": sub.status.value,
        "plan": sub.plan,
        "period_end": sub.period_end.isoformat() if sub.period_end else None,
        "auto_renew": sub.auto_renew,
        "auto_renew_reason": sub.auto_renew_reason,
    }


NEWS = {
    ("trial", "ring", "main"): {"period_end": None},  # the period of a trial's zero invoice is not shown
    ("trial", "base", "main"): {"period_end": None},
    ("several", "ring", "paper"): {"auto_renew": False},  # what is cancelled does not renew
    ("offers", "ring", "old"): {"auto_renew": False},
}
"""The facts that differ from those shown before, since the rules are others."""


@both
@each
def test_every_subscription_is_as_it_was(name: str, place: str) -> None:
    account, _ = read(name, place).history.at(read_at(name), TERMS)
    before = RECORDS[name]["shown"]
    assert {sub.id: shown(sub) for sub in account.subscriptions} == {
        sub_id: facts | NEWS.get((name, place, sub_id), {}) for sub_id, facts in before.items()
    }


@both
@each
def test_what_was_read_is_written_back_as_of_today(name: str, place: str) -> None:
    record = read(name, place)
    assert unpack(pack(record)) == record
    assert len(pack(record)) <= 1.02 * len(b64decode(RECORDS[name][place])) + 16, "fields that came later"


@each
def test_an_event_of_the_ring_is_recognised_when_it_comes_again(name: str) -> None:
    record = read(name, "ring")
    again = process(record, last_event(name), read_at(name) + HOUR, RULES)
    assert again.arrival is Arrival.DUPLICATE
    assert again.record is record
    with pytest.raises(Rejected, match="id_reused"):
        process(record, last_event(name)._replace(digest="other"), read_at(name) + HOUR, RULES)


@each
def test_an_event_of_the_base_is_late_when_it_comes_again(name: str) -> None:
    record = read(name, "base")
    again = process(record, last_event(name), read_at(name) + HOUR, RULES)
    assert again.arrival is Arrival.LATE
    assert again.record is record


@both
@each
def test_the_next_event_is_folded_onto_it(name: str, place: str) -> None:
    record, now = read(name, place), read_at(name) + HOUR
    after = process(record, event(record, now, paid(now)), now, RULES)
    assert after.arrival is Arrival.APPLIED
    assert after.record.history.head.get("main").status is Status.ACTIVE
    assert unpack(pack(after.record)) == after.record


@both
@each
def test_a_late_event_is_folded_in_its_place(name: str, place: str) -> None:
    record, now = read(name, place), read_at(name) + HOUR
    refund = PaymentReported(PaymentOutcome.REFUNDED, payment_id="unknown")
    after = process(record, event(record, now - 2 * HOUR, refund), now, RULES).record.history
    assert [verdict.payment_id for verdict in after.head.get("main").waiting] == ["unknown"]
    assert list(after.ring) == sorted(after.ring, key=place_of)


@both
@pytest.mark.parametrize("name", ["monthly", "grace", "on_hold", "paused", "pending", "revoked"])
def test_what_was_announced_and_decided_is_so_no_second_time(name: str, place: str) -> None:
    record, now = read(name, place), read_at(name) + HOUR
    after = process(record, event(record, now, TimePassed()), now, Rules(EVERYTHING, TERMS))
    assert not after.messages
    assert record.announced[0].facts["status"] == RECORDS[name]["shown"]["main"]["status"]


@both
def test_the_facts_announced_are_those_of_the_best_subscription(place: str) -> None:
    assert [one.subscription_id for one in read("several", place).announced] == ["car"]
    assert read("several", place).announced_status == "active"


@both
def test_offers_about_the_time_that_ends_are_about_it_still(place: str) -> None:
    record = read("offers", place)
    trial = record.history.head.get("main").granted_by
    assert [trigger.grant for trigger in record.triggers] == [None, trial]
    assert [deferred.moment.grant for deferred in record.deferred] == [trial]
    account, _ = record.history.at(record.deferred[0].until, TERMS)
    assert is_still_true(account, MomentKind.TRIAL_ENDING, "main", trial)


@both
def test_messages_that_may_not_be_published_yet_are_kept(place: str) -> None:
    topics = [message.topic for message in read("offers", place).pending_messages]
    assert {"subscription-change", "upsell-trigger", "decision"} <= set(topics)


def written(row: object) -> bytes:
    """A blob of format 1."""
    return zlib.compress(orjson.dumps(row))


@both
def test_a_damaged_record_is_unreadable(place: str) -> None:
    blob = b64decode(RECORDS["monthly"][place])
    with pytest.raises(UnreadableRecord):
        unpack(blob[:-1])
    with pytest.raises(UnreadableRecord):
        unpack(b"".join([blob[:50], b"?", blob[51:]]))


@pytest.mark.parametrize(
    "row", [["u", {}], ["u", [[], None, [1]]], ["u", [[], None, [[1, "t"]]]], ["u", *[[]] * 20]]
)
def test_a_record_of_another_shape_is_unreadable(row: list[object]) -> None:
    with pytest.raises(UnreadableRecord):
        unpack(written(row))


def test_a_record_without_anything_in_it_is_a_new_one() -> None:
    assert unpack(written(["u"])) == UserRecord("u")


# Subscriptions of the base, one by one. `now` is the instant of their last event.

now = START + 100 * DAY
PAID = FormerPayment("p2", now - 10 * DAY, "paid", now - 10 * DAY)
BEFORE = FormerPayment("p1", now - 40 * DAY, "paid", now - 40 * DAY)


def former(status: Status = Status.ACTIVE, **facts: Any) -> FormerSubscription:
    """A subscription in the second of two paid months."""
    given = {
        "id": "main",
        "since": now - 10 * DAY,
        "as_of": now,
        "plan": "premium",
        "period_start": now - 10 * DAY,
        "period_end": now + 20 * DAY,
        "auto_renew": True,
        "payments": (BEFORE, PAID),
        "paid_by": PAID,
        "period_counts": True,
    }
    return FormerSubscription(status=status, **given | facts)


def judged(verdict: str, at: datetime = now) -> FormerSubscription:
    """The subscription after a verdict on its current payment."""
    payment = PAID._replace(verdict=verdict, at=at)
    return former(payments=(BEFORE, payment), paid_by=payment)


def ahead(replaced: Replaced, **facts: Any) -> FormerSubscription:
    """A subscription paid for a month that begins in five days."""
    payment = FormerPayment("p3", now + 5 * DAY, "paid", now)
    return former(
        since=now,
        period_start=now + 5 * DAY,
        period_end=now + 35 * DAY,
        payments=(BEFORE, payment),
        paid_by=payment,
        replaced=(replaced,),
        **facts,
    )


def state(status: Status, start: datetime | None, end: datetime | None, plan: str | None = "basic") -> Replaced:
    paid_by = BEFORE if start else None
    return Replaced(status, now - 40 * DAY, plan, start, end, bool(start), paid_by, "", None, None, False, False)


def status_in(days: float, old: FormerSubscription) -> str:
    return advance(migrated(old, TERMS), now + days * DAY, TERMS).subscription.status.value


def test_past_payments_end_where_the_next_begins() -> None:
    sub = migrated(former(), TERMS)
    assert [(grant.payment_id, grant.start, grant.end) for grant in (*sub.past, *sub.grants)] == [
        ("p1", now - 40 * DAY, now - 10 * DAY),
        ("p2", now - 10 * DAY, now + 20 * DAY),
    ]
    assert sub.since == now - 10 * DAY


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("paid", "active"),
        ("refunded", "revoked"),
        ("reversed", "active"),
        ("disputed", "active"),
        ("lost", "revoked"),
        ("won", "active"),
    ],
)
def test_a_verdict_becomes_a_fact_about_its_payment(verdict: str, status: str) -> None:
    assert status_in(0, judged(verdict)) == status


def test_a_second_payment_of_the_period_upholds_it() -> None:
    refunded = PAID._replace(verdict="refunded", at=now)
    second = FormerPayment("p9", PAID.period_start, "paid", now)
    assert status_in(0, former(payments=(BEFORE, refunded, second), paid_by=refunded)) == "active"


def test_after_a_revoked_period_nothing_is_left() -> None:
    """Format 1 showed `revoked` for ever; today a revoked period is over at its end."""
    assert [status_in(days, judged("refunded")) for days in (19, 20, 60)] == ["revoked", "expired", "expired"]


def test_a_period_that_was_revoked_and_is_over_gives_no_grace() -> None:
    payment = PAID._replace(verdict="refunded", at=now)
    over = former(
        Status.GRACE, period_end=now - DAY, payments=(payment,), paid_by=payment, grace_until=now + 6 * DAY
    )
    assert status_in(0, over) == "expired"


def test_a_verdict_on_a_payment_that_was_never_reported_waits_for_it() -> None:
    early = FormerPayment("p3", now + 20 * DAY, "refunded", now)
    sub = migrated(former(payments=(BEFORE, PAID, early)), TERMS)
    assert [(one.payment_id, one.outcome) for one in sub.waiting] == [("p3", PaymentOutcome.REFUNDED)]
    only = FormerSubscription("main", as_of=now, payments=(early,))
    assert migrated(only, TERMS).status is Status.NONE


def test_a_month_paid_ahead_begins_at_its_start() -> None:
    """Format 1 showed the plan and the period of the later payment at once."""
    sub = migrated(ahead(state(Status.ACTIVE, now - 40 * DAY, now + 5 * DAY)), TERMS)
    assert (sub.status, sub.plan, sub.period_end) == (Status.ACTIVE, "basic", now + 5 * DAY)
    then = advance(sub, now + 5 * DAY, TERMS).subscription
    assert (then.status, then.plan, then.period_end) == (Status.ACTIVE, "premium", now + 35 * DAY)


def test_a_first_month_paid_ahead_is_pending_until_it_begins() -> None:
    """Format 1 showed it as active at once."""
    first = ahead(state(Status.NONE, None, None))
    first = first._replace(payments=first.payments[1:])
    assert [status_in(days, first) for days in (0, 5, 34)] == ["pending", "active", "active"]


def test_a_month_paid_ahead_in_a_trial_follows_the_trial() -> None:
    trialing = ahead(state(Status.TRIALING, None, None), trial_ends_at=now + 5 * DAY, trial_counts=True)
    assert [status_in(days, trialing._replace(payments=())) for days in (0, 5)] == ["trialing", "active"]


@pytest.mark.parametrize(("reason", "by"), [("billing", Said.BILLING), ("too dear", Said.USER), (None, Said.USER)])
def test_auto_renew_stays_off_and_keeps_its_reason(reason: str | None, by: Said) -> None:
    sub = migrated(former(auto_renew=False, auto_renew_reason=reason), TERMS)
    assert (sub.auto_renew, sub.auto_renew_reason, sub.auto_renew_off_by) == (False, reason, by)
    assert status_in(20, former(auto_renew=False)) == "expired"


def test_grace_ends_when_it_would_have_ended() -> None:
    grace = former(Status.GRACE, since=now - DAY, period_end=now - DAY, grace_until=now + 3 * DAY, failing=True)
    assert [status_in(days, grace) for days in (0, 2, 3)] == ["grace", "grace", "on_hold"]
    assert migrated(grace, TERMS).failing
    off = grace._replace(auto_renew=False)
    assert [status_in(days, off) for days in (0, 2, 3)] == ["grace", "grace", "expired"]


def test_a_hold_ends_when_it_would_have_ended() -> None:
    hold = former(Status.ON_HOLD, since=now - DAY, period_end=now - 5 * DAY, grace_until=now - DAY)
    assert [status_in(days, hold) for days in (0, 58, 59)] == ["on_hold", "on_hold", "expired"]


def test_grace_and_hold_after_a_trial_are_about_the_trial() -> None:
    facts = {"period_start": None, "period_end": None, "payments": (), "paid_by": None, "period_counts": False}
    trial = {"trial_ends_at": now - DAY, "trial_counts": True, "after_trial": True}
    sub = migrated(former(Status.GRACE, since=now - DAY, grace_until=now + 6 * DAY, **facts, **trial), TERMS)
    assert (sub.status, sub.current) == (Status.GRACE, sub.trial)


def test_a_pause_lasts_until_it_would_have_ended() -> None:
    paused = former(Status.PAUSED, since=now - DAY, resume_at=now + 5 * DAY)
    assert [status_in(days, paused) for days in (0, 4, 5)] == ["paused", "paused", "active"]


def test_a_scheduled_pause_comes_and_an_overdue_one_does_not() -> None:
    """An overdue one waited for a status in which it could begin, which would take access now."""
    due = now + 5 * DAY
    assert [status_in(days, former(pause=(due, None))) for days in (4, 5)] == ["active", "paused"]
    grace = {"since": now - DAY, "period_end": now - DAY, "grace_until": now + 6 * DAY}
    for pause in [(now - DAY, None), (None, None)]:
        assert status_in(0, former(Status.GRACE, pause=pause, **grace)) == "grace"


def test_other_schedules_are_kept() -> None:
    sub = migrated(former(plan_change=("basic", None), cancel_at=now + DAY, price_consent="accepted"), TERMS)
    assert (sub.scheduled_plan, sub.cancel_at, sub.price_consent) == ("basic", now + DAY, "accepted")
    assert migrated(former(plan_change=(None, None)), TERMS).plan_change is None


def test_a_pending_payment_pends_as_long_as_before() -> None:
    pending = former(Status.PENDING, since=now, period_counts=False, paid_by=None, auto_renew=False)
    assert [status_in(days, pending) for days in (0, 2.9, 3)] == ["pending", "pending", "expired"]


def test_a_cancelled_subscription_has_no_time_left() -> None:
    sub = migrated(former(Status.EXPIRED, since=now - DAY, period_counts=False), TERMS)
    assert (sub.status, sub.since, sub.plan, sub.period_end) == (
        Status.EXPIRED,
        now - DAY,
        "premium",
        now + 20 * DAY,
    )
    assert (sub.cut and sub.cut.at, sub.ended_at) == (now - DAY, now - DAY)


def test_a_trial_that_was_converted_covers_nothing_any_more() -> None:
    refunded = judged("refunded")._replace(trial_ends_at=now + 5 * DAY, trial_counts=True)
    assert status_in(0, refunded) == "revoked"


@pytest.mark.parametrize("status", [Status.GRACE, Status.ON_HOLD, Status.PENDING])
def test_a_trial_that_was_told_under_another_status_runs(status: Status) -> None:
    """Format 1 took only its end; today a later trial start is a trial."""
    facts = {"period_end": now - 5 * DAY, "grace_until": now + 9 * DAY, "since": now - DAY}
    assert status_in(0, former(status, trial_ends_at=now + 9 * DAY, trial_counts=True, **facts)) == "trialing"


def test_a_trial_that_was_told_in_paid_time_waits_behind_it() -> None:
    longer = former(trial_ends_at=now + 25 * DAY, trial_counts=True)
    assert [status_in(days, longer) for days in (0, 20, 25)] == ["active", "trialing", "grace"]


payments = st.builds(
    FormerPayment,
    payment_ids,
    instants,
    st.sampled_from(["paid", "paid", "refunded", "reversed", "disputed", "lost", "won"]),
    instants,
    booleans,
)
replaced = st.builds(
    Replaced,
    st.sampled_from(Status),
    maybe_instants,
    maybe_plans,
    maybe_instants,
    maybe_instants,
    booleans,
    st.none() | payments,
    st.just(""),
    maybe_instants,
    maybe_instants,
    booleans,
    booleans,
)
subscriptions = st.builds(
    FormerSubscription,
    id=st.just("main"),
    status=st.sampled_from(Status),
    since=instants,
    as_of=instants,
    plan=maybe_plans,
    period_start=maybe_instants,
    period_end=maybe_instants,
    trial_ends_at=maybe_instants,
    auto_renew=booleans,
    auto_renew_reason=st.sampled_from([None, "billing", "price"]),
    grace_until=maybe_instants,
    resume_at=maybe_instants,
    cancel_at=maybe_instants,
    pause=st.none() | st.tuples(maybe_instants, maybe_instants),
    plan_change=st.none() | st.tuples(maybe_plans, maybe_instants),
    price_consent=st.sampled_from([None, "accepted"]),
    first_paid_at=maybe_instants,
    last_paid_at=maybe_instants,
    payments=st.lists(payments, max_size=8).map(tuple),
    paid_by=st.none() | payments,
    granted_by=st.just(""),
    period_counts=booleans,
    trial_counts=booleans,
    after_trial=booleans,
    failing=booleans,
    replaced=st.lists(replaced, max_size=2).map(tuple),
)


@given(subscriptions)
def test_any_subscription_can_be_migrated_and_comes_back(old: FormerSubscription) -> None:
    sub = migrated(old, TERMS)
    account = Account((sub,))
    record = UserRecord("u", History(account, (0, 99), (), account))
    assert unpack(pack(record)) == record
    assert advance(sub, START + 4000 * DAY, TERMS).subscription.status in RANK
