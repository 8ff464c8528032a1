"""Calendar days begin at the user's local midnight, through every change of the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.calendar_days import start_of_days
from shared.decisioning.losses import LossReason
from shared.domain.instants import BEGINNING_OF_TIME, END_OF_TIME
from tests.shared.decisioning.test_quiet import SINCE_1990, ZONES, transitions
from tests.support.builders import campaign, catalog, decide, moment, trigger, user
from tests.support.candidates import candidates_of


def start(now: str, zone: str, days: int = 1) -> str:
    """The start of the days by the local clock."""
    found = start_of_days(datetime.fromisoformat(now), ZoneInfo(zone), days)
    assert found.tzinfo is UTC
    return found.astimezone(ZoneInfo(zone)).isoformat()


def used(
    now: str, *issued: str, cap: dict[str, Any] | None = None, zone: str | None = None, **sections: Any
) -> bool:
    """True if a cap of one a day stops the campaign."""
    asked = catalog(campaigns={"upgrade": campaign(cap=cap or {"max": 1, "calendar_days": 1})}, **sections)
    triggers = tuple(trigger(at=datetime.fromisoformat(at)) for at in issued)
    at = datetime.fromisoformat(now)
    (found,) = candidates_of(decide(asked, user(now=at, triggers=triggers, time_zone=zone), [moment(at=at)]))
    assert found.reason in {None, LossReason.CAP}
    return found.reason == LossReason.CAP


class TestADay:
    def test_begins_at_local_midnight(self) -> None:
        assert start("2026-06-01T23:59:59+02:00", "Europe/Berlin") == "2026-06-01T00:00:00+02:00"
        assert start("2026-06-01T00:00:00+02:00", "Europe/Berlin") == "2026-06-01T00:00:00+02:00"

    def test_is_not_that_of_utc(self) -> None:
        assert start("2026-06-01T23:30:00Z", "Asia/Tokyo") == "2026-06-02T00:00:00+09:00"

    def test_counts_as_the_first_of_several(self) -> None:
        assert start("2026-06-07T12:00:00+02:00", "Europe/Berlin", 7) == "2026-06-01T00:00:00+02:00"

    def test_may_have_23_or_25_hours(self) -> None:
        assert start("2026-03-29T23:00:00+02:00", "Europe/Berlin") == "2026-03-29T00:00:00+01:00"
        assert start("2026-10-25T23:00:00+01:00", "Europe/Berlin") == "2026-10-25T00:00:00+02:00"

    def test_without_a_midnight_begins_when_the_clock_is_set_forward(self) -> None:
        assert start("2018-11-04T12:00:00-02:00", "America/Sao_Paulo") == "2018-11-04T01:00:00-02:00"

    def test_that_a_zone_left_out_begins_with_the_next(self) -> None:
        """Samoa skipped 30 December 2011."""
        assert start("2011-12-31T12:00:00+14:00", "Pacific/Apia", 2) == "2011-12-31T00:00:00+14:00"

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Etc/GMT+12"])
    @pytest.mark.parametrize("now", [BEGINNING_OF_TIME, END_OF_TIME])
    def test_at_the_ends_of_the_calendar_raises_nothing(self, zone: str, now: datetime) -> None:
        assert start_of_days(now, ZoneInfo(zone), 3650) <= now


@given(st.sampled_from(ZONES).map(ZoneInfo), SINCE_1990, st.integers(1, 40), st.integers(-3000, 3000))
def test_the_days_hold_every_instant_of_their_dates(
    zone: ZoneInfo, now: datetime, days: int, minutes: int
) -> None:
    """An hour that a clock set back over midnight repeats may count to the day after as well."""
    if changes := transitions(zone, now):
        now = changes[0] + timedelta(minutes=minutes)
    today, begins = now.astimezone(zone).date(), start_of_days(now, zone, days)
    first = today - timedelta(days=days - 1)
    for at in (now - timedelta(minutes=step * 97) for step in range(days * 16)):
        if first <= at.astimezone(zone).date() <= today:
            assert at >= begins
        elif at >= begins:
            assert at - begins < timedelta(hours=3)


class TestACap:
    def test_lets_one_through_each_day(self) -> None:
        assert used("2026-06-01T12:00:00Z", "2026-06-01T00:00:00Z")
        assert not used("2026-06-02T00:00:00Z", "2026-06-01T23:59:59Z")

    def test_goes_by_the_users_zone(self) -> None:
        issued, now = "2026-06-01T21:30:00Z", "2026-06-01T22:30:00Z"
        assert used(now, issued)
        assert not used(now, issued, zone="Europe/Berlin")

    @pytest.mark.parametrize("zone", [None, "Mars/Olympus", "../etc/passwd"])
    def test_goes_by_the_catalogs_zone_if_that_is_unknown(self, zone: str | None) -> None:
        issued, now = "2026-06-01T21:30:00Z", "2026-06-01T22:30:00Z"
        assert not used(now, issued, zone=zone, time_zone="Europe/Berlin")

    @pytest.mark.parametrize(("days", "written"), [(1, "1 calendar day"), (7, "7 calendar days")])
    def test_of_a_channel_counts_what_other_campaigns_offered(self, days: int, written: str) -> None:
        channels = {"in_app": {"cap": {"max": 1, "calendar_days": days}}}
        asked = catalog(channels=channels)
        now = datetime.fromisoformat("2026-06-01T12:00:00Z")
        others = (trigger("other", at=now - timedelta(hours=3)),)
        (found,) = candidates_of(decide(asked, user(now=now, triggers=others), [moment(at=now)]))
        assert (found.reason, found.detail) == (LossReason.CAP, f"1 for the channel in {written}")
        (count,) = found.caps
        assert (count.calendar_days, count.window_days, count.used) == (days, None, 1)

    def test_of_several_days_holds_today_and_the_days_before(self) -> None:
        cap = {"max": 1, "calendar_days": 7}
        assert used("2026-06-07T23:59:59Z", "2026-06-01T00:00:00Z", cap=cap)
        assert not used("2026-06-08T00:00:00Z", "2026-06-01T23:59:59Z", cap=cap)
