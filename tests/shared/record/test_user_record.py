"""The causes that time brought and that were decided, and the time of a user, which never goes back."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events import TimePassed, cause_of
from shared.record.user_record import MAX_FIRED, Fired, UserRecord
from tests.support.histories import DAY, START, instants
from tests.support.story import day, event, paid

CAUSES = st.lists(st.tuples(instants, st.text(max_size=3)), max_size=8)


@given(st.lists(CAUSES, min_size=1, max_size=30), st.integers(0, MAX_FIRED))
def test_the_newest_64_are_kept_and_the_floor_is_the_newest_that_is_not(
    batches: list[list[tuple[datetime, str]]], before: int
) -> None:
    fired = Fired().plus(tuple((START - number * DAY, f"before {number}") for number in range(before)))
    told = [*fired.causes]
    for batch in batches:
        new = tuple((at, cause) for at, cause in batch if not fired.covers(at, cause))
        told = sorted({*told, *((at, cause_of(cause)) for at, cause in new)})
        fired = fired.plus(new)
    assert fired.causes == tuple(told[-MAX_FIRED:])
    assert fired.floor == (told[-MAX_FIRED - 1][0] if len(told) > MAX_FIRED else None)


@given(st.integers(1, 3 * MAX_FIRED))
def test_each_that_was_decided_is_covered_for_ever_and_none_that_is_still_to_come(number: int) -> None:
    fired = Fired()
    for number_of_day in range(number):
        fired = fired.plus(((START + number_of_day * DAY, f"day {number_of_day}"),))
    assert all(fired.covers(START + day * DAY, f"day {day}") for day in range(number))
    oldest_kept = max(number - MAX_FIRED, 0)
    assert not any(fired.covers(START + day * DAY, "another") for day in range(oldest_kept, number + 1))


def test_without_news_it_stays_the_very_same() -> None:
    fired = Fired().plus(((START, "day 0"),))
    assert fired.plus(()) is fired


@pytest.mark.parametrize(
    ("now", "last", "due", "time"), [(5, 3, 4, 5), (5, None, 4, 5), (5, 6, 4, 6), (5, 6, 7, 7)]
)
def test_the_time_of_a_user_is_the_latest_of_the_clock_the_last_commit_and_what_the_clock_says_is_due(
    now: float, last: float | None, due: float, time: float
) -> None:
    record = UserRecord("anna", as_of=None if last is None else day(last))
    assert record.effective_now(day(now), event(due, "lifecycle-due", TimePassed())) == day(time)
    assert record.effective_now(day(now), paid(due)) == day(max(now, last or now))
