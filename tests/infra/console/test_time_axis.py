"""The time axis of a life: places and ticks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.console.time_axis import MOST_TICKS, Axis

BEGIN = datetime(2026, 1, 31, 13, 7, tzinfo=UTC)
instants = st.datetimes(datetime(1990, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (timedelta(hours=6), ["31 Jan 14:00", "31 Jan 15:00", "31 Jan 16:00"]),
        (timedelta(days=3), ["01 Feb 00:00", "01 Feb 12:00", "02 Feb 00:00"]),
        (timedelta(days=14), ["02 Feb", "04 Feb", "06 Feb"]),
        (timedelta(days=40), ["01 Feb", "08 Feb", "15 Feb"]),
        (timedelta(days=172), ["Feb 2026", "Mar 2026", "Apr 2026"]),
        (timedelta(days=700), ["Jul 2026", "Jan 2027", "Jul 2027"]),
        (timedelta(days=3000), ["2028", "2030", "2032"]),
    ],
)
def test_ticks_are_at_round_instants(length, labels):
    assert [tick.label for tick in Axis(BEGIN, BEGIN + length).ticks()][:3] == labels


@given(begins=instants, length=st.timedeltas(timedelta(hours=6), timedelta(days=365 * 8000)))
def test_there_are_never_many_ticks_and_all_are_on_the_axis_in_order(begins, length):
    axis = Axis(
        begins,
        min(begins + min(length, datetime.max.replace(tzinfo=UTC) - begins), datetime.max.replace(tzinfo=UTC)),
    )
    ticks = [tick.at for tick in axis.ticks()]
    assert len(ticks) <= MOST_TICKS + 1
    assert ticks == sorted(set(ticks))
    assert all(axis.holds(at) for at in ticks)


def test_places_are_shares_and_are_clipped():
    axis = Axis(BEGIN, BEGIN + timedelta(days=4))
    days = (-1, 0, 1, 4, 5)
    assert [axis.share(BEGIN + timedelta(days=day)) for day in days] == [0, 0, 0.25, 1, 1]
