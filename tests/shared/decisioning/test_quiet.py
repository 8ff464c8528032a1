"""Quiet hours follow the user's local clock, through every change of that clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.quiet import quiet_until, zone_of
from shared.domain.instants import END_OF_TIME

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")


def until(now: str, start: str, end: str, zone: ZoneInfo = BERLIN) -> str | None:
    """The end of the quiet hours in the user's local time, with its offset."""
    ends = quiet_until(datetime.fromisoformat(now), zone, time.fromisoformat(start), time.fromisoformat(end))
    assert ends is None or ends.tzinfo is UTC
    return ends and ends.astimezone(zone).isoformat(timespec="seconds")


class TestZone:
    def test_is_the_users(self) -> None:
        assert zone_of("Asia/Tokyo", "UTC").key == "Asia/Tokyo"

    @pytest.mark.parametrize(
        "nonsense",
        [
            None,
            "",
            "Mars/Olympus",
            "../../etc/passwd",
            "/etc/passwd",
            "Europe",
            "a\0b",
            "x" * 5000,
            "\ud800",
            "UTC+25",
        ],
    )
    def test_that_is_unknown_or_none_at_all_is_the_catalogs(self, nonsense: str | None) -> None:
        assert zone_of(nonsense, "Asia/Tokyo").key == "Asia/Tokyo"


class TestWithinADay:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ("2026-06-01T12:59:59.999999+02:00", None),
            ("2026-06-01T13:00:00+02:00", "2026-06-01T15:00:00+02:00"),
            ("2026-06-01T14:59:59.999999+02:00", "2026-06-01T15:00:00+02:00"),
            ("2026-06-01T15:00:00+02:00", None),
        ],
    )
    def test_they_run_from_their_start_until_just_before_their_end(self, now: str, expected: str | None) -> None:
        assert until(now, "13:00", "15:00") == expected


class TestOverMidnight:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            ("2026-06-01T21:59:59+02:00", None),
            ("2026-06-01T22:00:00+02:00", "2026-06-02T08:00:00+02:00"),
            ("2026-06-02T00:00:00+02:00", "2026-06-02T08:00:00+02:00"),
            ("2026-06-02T07:59:59+02:00", "2026-06-02T08:00:00+02:00"),
            ("2026-06-02T08:00:00+02:00", None),
        ],
    )
    def test_they_end_in_the_morning(self, now: str, expected: str | None) -> None:
        assert until(now, "22:00", "08:00") == expected

    def test_they_may_end_at_midnight_itself(self) -> None:
        assert until("2026-06-01T23:00:00+02:00", "22:00", "00:00") == "2026-06-02T00:00:00+02:00"
        assert until("2026-06-02T00:00:00+02:00", "22:00", "00:00") is None


class TestWhereTheClockIsSetForward:
    """02:00 to 03:00 does not exist in New York on 8 March 2026, and in Berlin on 29 March 2026."""

    def test_a_night_is_an_hour_shorter(self) -> None:
        assert until("2026-03-28T22:00:00+01:00", "22:00", "08:00") == "2026-03-29T08:00:00+02:00"

    def test_an_end_that_does_not_exist_is_passed_when_the_hour_is_over(self) -> None:
        assert until("2026-03-08T01:30:00-05:00", "22:00", "02:30", NEW_YORK) == "2026-03-08T03:30:00-04:00"

    def test_hours_that_do_not_exist_are_not_quiet(self) -> None:
        assert until("2026-03-08T01:59:59-05:00", "02:10", "02:50", NEW_YORK) is None
        assert until("2026-03-08T03:00:00-04:00", "02:10", "02:50", NEW_YORK) is None


class TestWhereTheClockIsSetBack:
    """01:00 to 02:00 occurs twice in New York on 1 November 2026."""

    def test_a_night_is_an_hour_longer(self) -> None:
        assert until("2026-10-31T22:00:00-04:00", "22:00", "08:00", NEW_YORK) == "2026-11-01T08:00:00-05:00"

    def test_an_end_that_comes_twice_is_passed_at_the_first_that_is_ahead(self) -> None:
        assert until("2026-11-01T01:15:00-04:00", "22:00", "01:30", NEW_YORK) == "2026-11-01T01:30:00-04:00"
        assert until("2026-11-01T01:15:00-05:00", "22:00", "01:30", NEW_YORK) == "2026-11-01T01:30:00-05:00"


def test_a_day_that_a_zone_leaves_out_is_slept_over() -> None:
    """Samoa skipped 30 December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    assert until("2011-12-29T23:00:00-10:00", "22:00", "06:00", apia) == "2011-12-31T06:00:00+14:00"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_at_the_end_of_time_nothing_is_raised(zone: str) -> None:
    for hour in range(24):
        ends = quiet_until(END_OF_TIME, ZoneInfo(zone), time(hour), time((hour + 23) % 24))
        assert ends is None or ends > END_OF_TIME


ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
TIMES = st.times().map(lambda of_day: of_day.replace(second=0, microsecond=0))
SINCE_1990 = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def transitions(zone: ZoneInfo, near: datetime) -> list[datetime]:
    """The changes of the zone's offset in the year after an instant, to within six hours."""
    hours = (near + timedelta(hours=n) for n in range(0, 24 * 366, 6))
    return [
        at
        for at in hours
        if at.astimezone(zone).utcoffset() != (at + timedelta(hours=6)).astimezone(zone).utcoffset()
    ]


@given(st.sampled_from(ZONES).map(ZoneInfo), SINCE_1990, TIMES, TIMES, st.integers(-2000, 2000), st.booleans())
def test_they_end_later_and_then_are_over(
    zone: ZoneInfo, now: datetime, start: time, end: time, minutes: int, by_a_transition: bool
) -> None:
    """Holds if at least three hours of the day are not quiet: else a clock set forward may skip them."""
    length = (timedelta(hours=end.hour - start.hour, minutes=end.minute - start.minute)) % timedelta(days=1)
    if by_a_transition and (changes := transitions(zone, now)):
        now = changes[0] + timedelta(minutes=minutes)
    ends = quiet_until(now, zone, start, end)
    if ends is None:
        return
    assert now < ends <= now + timedelta(hours=49), "no zone leaves out more than a day"
    if timedelta(0) < length <= timedelta(hours=21):
        assert quiet_until(ends, zone, start, end) is None
