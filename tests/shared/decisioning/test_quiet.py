"""Quiet hours follow the user's local clock, through every change of that clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.document.vocabulary import DAYS, parse_days
from shared.decisioning.quiet import FARTHEST, Quiet, ever_open, open_from, quiet_until, zone_of
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


def rule(days: str = "mon-sun", start: str | None = None, end: str = "00:00") -> Quiet:
    hours = (time.fromisoformat(start), time.fromisoformat(end)) if start else None
    return Quiet(hours, frozenset().union(*map(parse_days, days.split())))


def opens(now: str, *rules: Quiet, zone: ZoneInfo = BERLIN) -> str | None:
    """The first open instant by the local clock."""
    found = open_from(rules, datetime.fromisoformat(now), zone)
    return found and f"{found.astimezone(zone):%a} {found.astimezone(zone).isoformat(timespec='minutes')}"


class TestDays:
    """1 June 2026 is a Monday."""

    @pytest.mark.parametrize(
        ("text", "days"),
        [
            ("mon", {0}),
            ("mon-fri", {0, 1, 2, 3, 4}),
            ("sat-mon", {5, 6, 0}),
            ("sun-sun", {6}),
            ("tue-mon", {*range(7)}),
        ],
    )
    def test_are_single_ones_and_ranges_that_may_wrap(self, text: str, days: set[int]) -> None:
        assert parse_days(text) == days

    @pytest.mark.parametrize(
        "text", ["", "monday", "Mon", "mon-", "-fri", "mon-fri-sun", "mon fri", "1-5", "mon_fri"]
    )
    def test_of_other_words_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"a day \(mon, tue, wed, thu, fri, sat, sun\), or a range"):
            parse_days(text)

    def test_that_are_open_let_through_at_any_hour(self) -> None:
        assert opens("2026-06-05T23:59:00+02:00", rule("mon-fri")) == "Fri 2026-06-05T23:59+02:00"

    def test_that_are_not_end_at_midnight(self) -> None:
        assert opens("2026-06-06T00:00:00+02:00", rule("mon-fri")) == "Mon 2026-06-08T00:00+02:00"
        assert opens("2026-06-07T23:59:00+02:00", rule("mon-fri")) == "Mon 2026-06-08T00:00+02:00"

    def test_beside_quiet_hours_go_on_to_their_end(self) -> None:
        night = rule("mon-fri", "22:00", "07:00")
        assert opens("2026-06-05T23:00:00+02:00", night) == "Mon 2026-06-08T07:00+02:00"
        assert opens("2026-06-04T23:00:00+02:00", night) == "Fri 2026-06-05T07:00+02:00"
        assert opens("2026-06-08T00:00:00+02:00", night) == "Mon 2026-06-08T07:00+02:00"

    def test_of_several_rules_must_all_be_open(self) -> None:
        found = opens(
            "2026-06-03T12:00:00+02:00", rule("mon-wed", "12:00", "18:00"), rule("wed-fri", "18:00", "11:00")
        )
        assert found == "Wed 2026-06-10T11:00+02:00"

    def test_of_the_users_zone_count(self) -> None:
        assert (
            opens("2026-06-05T23:00:00Z", rule("mon-fri"), zone=ZoneInfo("Asia/Tokyo"))
            == "Mon 2026-06-08T00:00+09:00"
        )

    def test_without_a_midnight_begin_when_the_clock_is_set_forward(self) -> None:
        found = opens("2018-11-03T12:00:00-03:00", rule("sun"), zone=ZoneInfo("America/Sao_Paulo"))
        assert found == "Sun 2018-11-04T01:00-02:00"

    def test_that_a_zone_left_out_come_a_week_later(self) -> None:
        """Samoa skipped Friday, 30 December 2011."""
        found = opens("2011-12-29T12:00:00-10:00", rule("fri"), zone=ZoneInfo("Pacific/Apia"))
        assert found == "Fri 2012-01-06T00:00+14:00"

    def test_and_an_only_hour_that_the_clock_skips_come_a_week_later(self) -> None:
        found = opens("2026-03-28T12:00:00+01:00", rule("sun", "03:00", "02:00"))
        assert found == "Sun 2026-04-05T02:00+02:00"

    def test_that_never_open_together_have_no_end(self) -> None:
        assert opens("2026-06-01T12:00:00+02:00", rule("mon-fri"), rule("sat")) is None
        assert not ever_open([rule("mon-fri"), rule("sat")])
        assert not ever_open([rule("mon-fri", "08:00", "20:00"), rule("mon", "20:00", "08:00")])
        assert ever_open([rule("mon-fri", "08:00", "20:00"), rule("mon", "20:00", "07:59")])

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
    def test_at_the_end_of_time_raise_nothing(self, zone: str) -> None:
        for day in DAYS:
            assert open_from([rule(day, "01:00", "23:00")], END_OF_TIME, ZoneInfo(zone)) is not None


RULES = st.lists(
    st.builds(
        Quiet, st.none() | st.tuples(TIMES, TIMES), st.frozensets(st.integers(0, 6), min_size=1), st.booleans()
    ),
    min_size=1,
    max_size=4,
)


@given(st.sampled_from(ZONES).map(ZoneInfo), SINCE_1990, RULES, st.integers(-3000, 3000))
def test_any_rules_that_can_open_do_so_at_an_instant_that_none_of_them_covers(
    zone: ZoneInfo, now: datetime, rules: list[Quiet], minutes: int
) -> None:
    if changes := transitions(zone, now):
        now = changes[0] + timedelta(minutes=minutes)
    opened = open_from(rules, now, zone)
    if opened is None:
        assert not ever_open(rules) or least_open(rules) < timedelta(hours=3)
        return
    assert now <= opened <= now + FARTHEST + timedelta(days=8)
    local = opened.astimezone(zone)
    assert not any(each.covers(local.weekday(), local.time()) for each in rules)
    between = (now + number * (opened - now) / 50 for number in range(50))
    for at in between if opened > now else ():
        local = at.astimezone(zone)
        assert any(each.covers(local.weekday(), local.time()) for each in rules), "nothing before it was open"


def least_open(rules: list[Quiet]) -> timedelta:
    """The open time in a week, to the minute."""
    week = [(day, time(minute // 60, minute % 60)) for day in range(7) for minute in range(24 * 60)]
    return timedelta(minutes=sum(not any(each.covers(*at) for each in rules) for at in week))
