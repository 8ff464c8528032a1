"""Law 8, access follows money: nobody loses time that a standing grant covers, and nobody has any without one."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.account import Account
from shared.domain.events import Event, PaymentOutcome, PaymentReported, Signal, SignalSeen, TrialStarted
from shared.domain.grants import Grant
from shared.domain.history import History, fold
from shared.domain.subscription import Status, Subscription
from tests.support.histories import DAY, TERMS, bears_on_status, delivered, histories, in_order, instants
from tests.support.lives import lives

some_history = histories(max_size=14) | lives()
TAKING = frozenset(
    {
        PaymentOutcome.REFUNDED,
        PaymentOutcome.DISPUTE_LOST,
        Signal.CANCELLED,
        Signal.PAUSE_SCHEDULED,
    }
)
"""The reports that may take access that a grant covers: of money that went back, and of the user's own wish."""


def takes(event: Event) -> bool:
    """True if an event may take access: by its kind, or because it replaces or converts a trial."""
    match event.fact:
        case TrialStarted() | PaymentReported(outcome=PaymentOutcome.SUCCEEDED):
            return True
        case PaymentReported(outcome=outcome):
            return outcome in TAKING
        case SignalSeen(kind=kind):
            return kind in TAKING
        case _:
            return False


def covering(sub: Subscription, now: datetime) -> list[Grant]:
    """The grants that stand and cover an instant."""
    return [grant for grant in sub.all_grants if grant.stands and grant.covers(now)]


def steps(events: list[Event]) -> list[tuple[Event, Account, Account]]:
    """Each event in order, with the account before and after it."""
    account, told = Account(), []
    for event in filter(bears_on_status, in_order(events)):
        grown, _ = fold(account, event, TERMS)
        told.append((event, account, grown))
        account = grown
    return told


def at(account: Account, now: datetime) -> Account:
    return History(head=account).at(now, TERMS)[0]


@given(some_history, st.sampled_from([DAY / 4, DAY, 10 * DAY, 40 * DAY]))
def test_no_other_event_takes_access_that_a_standing_grant_covers(history: list[Event], ahead: object) -> None:
    """Access is compared at the event itself, and some time later, when its schedules have fallen due."""
    for event, before, after in steps(history):
        for now in (event.occurred_at, event.occurred_at + ahead):
            was, now_is = (at(account, now).get(event.subscription_id) for account in (before, after))
            if covering(was, now) and was.entitled and not takes(event):
                assert now_is.entitled, (event, now)


@given(some_history, instants)
def test_a_success_takes_no_access_but_ends_the_trial_that_it_converts(events: list[Event], now: datetime) -> None:
    for event, before, after in steps(events):
        match event.fact:
            case PaymentReported(outcome=PaymentOutcome.SUCCEEDED):
                was, now_is = (at(account, now).get(event.subscription_id) for account in (before, after))
                lost = was.entitled and not now_is.entitled and now >= event.occurred_at
                assert not (lost and any(not grant.is_trial for grant in covering(was, now)))


@given(some_history, instants)
def test_there_is_no_access_without_a_standing_grant_or_a_grace(events: list[Event], now: datetime) -> None:
    for sub in delivered([one for one in events if one.occurred_at <= now]).at(now, TERMS)[0].subscriptions:
        if sub.status in {Status.ACTIVE, Status.TRIALING}:
            assert covering(sub, now)
        if sub.status is Status.GRACE:
            assert now < sub.grace_until


@given(some_history, instants)
def test_whoever_has_a_standing_grant_has_access_unless_paused(events: list[Event], now: datetime) -> None:
    for sub in delivered([one for one in events if one.occurred_at <= now]).at(now, TERMS)[0].subscriptions:
        if covering(sub, now):
            assert sub.entitled or sub.status is Status.PAUSED


@given(some_history, instants)
def test_grace_and_hold_follow_only_time_that_ran_out(events: list[Event], now: datetime) -> None:
    for sub in delivered([one for one in events if one.occurred_at <= now]).at(now, TERMS)[0].subscriptions:
        pends = sub.pending is not None and sub.pending.grace_until is not None
        if sub.status is Status.ON_HOLD or (sub.status is Status.GRACE and not pends):
            assert sub.current is not None
            assert sub.current.ran_out
