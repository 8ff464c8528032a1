"""The journey in docs/catalog.md, replayed: what follows a banner that is answered, or not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.support import journeys, replays
from tests.support.journeys import feedback
from tests.support.replays import START, Outcome, payment


@pytest.fixture
def journey(tmp_path: Path) -> Callable[..., Outcome]:
    return partial(journeys.journey, tmp_path)


@pytest.fixture(scope="module")
def banner(tmp_path_factory: pytest.TempPathFactory) -> str:
    return journeys.banner_of(tmp_path_factory.mktemp("banner"))


def told(outcome: Outcome) -> list[tuple[float, str, str, str | None]]:
    """Every trigger message: its day, the campaign, its kind, and the reason of a revocation."""
    return [
        (day_of(one["decided_at"]), one["campaign_id"], one["kind"], one["revoke_reason"])
        for one in outcome.rows("triggers")
    ]


def day_of(instant: str) -> float:
    return (datetime.fromisoformat(instant) - START) / timedelta(days=1)


def test_an_unanswered_banner_is_followed_by_an_email_three_days_later(journey: Callable[..., Outcome]) -> None:
    outcome = journey()
    assert told(outcome) == [(30, "annual_banner", "issued", None), (33, "annual_email", "issued", None)]
    first, second = outcome.rows("triggers")
    assert (second["moment"], second["follows"]) == ("feedback.absent", first["trigger_id"])
    assert second["cause"] == f"feedback.absent/{first['trigger_id']}/3d"
    assert first["follows"] is None


def test_a_click_on_the_banner_revokes_the_open_email(journey: Callable[..., Outcome], banner: str) -> None:
    assert told(journey(feedback(banner, 35, "clicked"))) == [
        (30, "annual_banner", "issued", None),
        (33, "annual_email", "issued", None),
        (35, "annual_email", "revoked", "moment"),
        (35, "annual_help", "issued", None),
    ]


@pytest.mark.parametrize("kind", ["dismissed", "accepted", "converted"])
def test_any_answer_ends_the_wait(kind: str, journey: Callable[..., Outcome], banner: str) -> None:
    assert told(journey(feedback(banner, 31, kind))) == [(30, "annual_banner", "issued", None)]


@pytest.mark.parametrize("kind", ["delivered", "impression"])
def test_a_banner_that_was_only_seen_was_not_answered(
    kind: str, journey: Callable[..., Outcome], banner: str
) -> None:
    assert told(journey(feedback(banner, 31, kind)))[1:] == [(33, "annual_email", "issued", None)]


def test_a_click_is_followed_at_once_and_only_once(journey: Callable[..., Outcome], banner: str) -> None:
    """It is reported twice, and the user clicks again. A message that was delivered again has the same id."""
    outcome = journey(*(feedback(banner, day, "clicked") for day in (31, 31, 31.5, 36)))
    assert {*told(outcome)[1:]} == {(31, "annual_help", "issued", None)}
    assert len({one["message_id"] for one in outcome.rows("triggers")}) == 2
    assert outcome.rows("triggers")[1]["cause"] == f"feedback.clicked/{banner}"


def test_acceptance_revokes_the_help_that_followed_the_click(journey: Callable[..., Outcome], banner: str) -> None:
    outcome = journey(feedback(banner, 31, "clicked"), feedback(banner, 32, "accepted"))
    assert told(outcome)[1:] == [
        (31, "annual_help", "issued", None),
        (32, "annual_help", "revoked", "moment"),
    ]


def test_feedback_in_any_order_leaves_the_same_open_offers(journey: Callable[..., Outcome], banner: str) -> None:
    """The click is reported after the dismissal that came later: nothing follows it any more."""
    late = feedback(banner, 31, "clicked", publish_time=replays.at(32.5))
    outcome = journey(feedback(banner, 32, "dismissed"), late)
    assert told(outcome)[1:] == []


def test_feedback_that_comes_three_days_late_is_stale(journey: Callable[..., Outcome], banner: str) -> None:
    late = feedback(banner, 31, "clicked", publish_time=replays.at(34))
    outcome = journey(late)
    assert told(outcome)[1:] == [
        (33, "annual_email", "issued", None),
        (34, "annual_email", "revoked", "moment"),
    ]
    (candidate,) = outcome.rows("decisions")[-1]["candidates"]
    assert (candidate["moment"], candidate["reason"]) == ("feedback.clicked", "stale")
    assert candidate["follows"] == banner


def test_the_email_is_taken_back_when_what_the_banner_is_about_ends(journey: Callable[..., Outcome]) -> None:
    """The banner has expired by then, so that nobody revokes it."""
    refunded = payment(days=30, outcome="refunded", event_id="refund", occurred_at=replays.at(38))
    first = payment(days=0, outcome="refunded", event_id="refund-1", occurred_at=replays.at(38))
    assert told(journey(refunded, first))[1:] == [
        (33, "annual_email", "issued", None),
        (38, "annual_email", "revoked", "moment"),
    ]


def test_a_banner_that_was_revoked_is_not_followed(journey: Callable[..., Outcome]) -> None:
    bought = payment(days=31, event_id="annual", plan="premium_annual", period_end=replays.at(396))
    assert told(journey(bought, days=33.5)) == [
        (30, "annual_banner", "issued", None),
        (31, "annual_banner", "revoked", "has_plan"),
    ]
