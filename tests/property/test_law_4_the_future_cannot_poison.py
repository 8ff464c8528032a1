"""Law 4, the future cannot poison: events dated too far ahead are rejected, and leave everything else intact."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.inbound.envelope import Delivery, check_not_future, parse_event
from shared.domain.deadlines import next_announced_change, next_deadline
from shared.domain.errors import Rejected
from shared.domain.events import Event, Key, TrialStarted
from shared.domain.instants import END_OF_TIME
from shared.domain.moments import MomentKind
from shared.domain.terms import Terms
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.catalogs import EVERYTHING
from tests.support.histories import DAY, START, USER, delivered, histories
from tests.support.lives import lives

TERMS = Terms()
SKEW = timedelta(minutes=5)
MICROSECOND = timedelta(microseconds=1)


def dated(at: datetime, name: str = "one", ends_at: datetime = END_OF_TIME, *, auto_renew: bool = True) -> Event:
    trial = TrialStarted("basic", ends_at, auto_renew)
    return Event(Key(at, "trial-start", "", name), USER, "main", trial, name)


@given(st.timedeltas(min_value=MICROSECOND, max_value=3000 * DAY))
def test_what_is_dated_more_than_5_minutes_ahead_is_refused(further: timedelta) -> None:
    with pytest.raises(Rejected, match="future_dated"):
        check_not_future(dated(START + SKEW + further), START, TERMS.clock_skew)


@given(st.timedeltas(min_value=timedelta(0), max_value=3000 * DAY))
def test_what_is_dated_within_5_minutes_ahead_or_in_the_past_is_taken(earlier: timedelta) -> None:
    check_not_future(dated(START + SKEW - earlier), START, TERMS.clock_skew)


@pytest.mark.parametrize("year", ["0001", "1970", "1989"])
def test_what_is_dated_before_1990_is_invalid(year: str) -> None:
    body = f'{{"event_id": "e", "user_id": "u", "occurred_at": "{year}-12-31T00:00:00Z", "signal": "cancelled"}}'
    with pytest.raises(Rejected, match="invalid"):
        parse_event("churn-signal", Delivery(body.encode(), {}))


@given(histories() | lives(), st.sampled_from([START, START + 60 * DAY, START + 10**6 * DAY, END_OF_TIME]))
def test_no_end_is_too_far_away_to_be_reckoned_with(events: list[Event], now: datetime) -> None:
    """Lifetime periods end at the last possible instant, and no calculation overflows."""
    account, _ = delivered(events).at(now, TERMS)
    for sub in account.subscriptions:
        for deadline in (next_deadline(sub, TERMS), next_announced_change(sub, TERMS)):
            assert deadline is None or now < deadline <= END_OF_TIME


skews = st.timedeltas(min_value=timedelta(0), max_value=SKEW)


@given(skews, skews)
def test_a_producers_clock_that_runs_ahead_loses_no_moment(ahead: timedelta, ends: timedelta) -> None:
    """A trial ends within the minutes by which the next event's clock is ahead of ours."""
    policy = Rules(EVERYTHING, TERMS)
    first = dated(START, "one", ends_at=START + DAY + ends, auto_renew=False)
    second = dated(START + DAY + ahead, "two")
    begun = process(UserRecord(USER), first, START, policy).record
    told = process(begun, second, START + DAY, policy)
    decided = [one["moment"] for message in told.messages for one in message.body.get("candidates", ())]
    assert (MomentKind.EXPIRED in decided) is (ends < ahead)
