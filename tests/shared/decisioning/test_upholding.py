"""Upholding: an open trigger is asked again, and revoked for the first reason that no longer lets it pass."""

from datetime import timedelta
from typing import Any

import pytest

from shared.decisioning.situation import Situation
from shared.decisioning.upholding import CATALOGS_DIFFER, no_longer_true
from shared.domain.events import FeedbackKind
from shared.domain.moments import MomentKind
from shared.domain.subscription import Status
from shared.domain.triggers import Feedback, Trigger
from shared.domain.user import User
from tests.support.builders import NOW, ago, campaign, catalog, paying, trigger, user

OPEN = trigger(at=ago(minutes=30))
LIVE = {"live": {"all": [{"live": "subscription.live"}]}, "nobody": {"all": [{"no": "false"}]}}


def reason(
    of: User | None = None, one: Trigger = OPEN, raised: tuple[str, ...] = (), **sections: Any
) -> str | None:
    """The reason why an open trigger of the campaign `upgrade` is no longer true."""
    asked = of or user(triggers=(one,))
    return no_longer_true((one,), Situation(catalog(**sections), asked), raised).get(one.trigger_id)


def test_what_is_still_true_stays() -> None:
    assert reason() is None
    assert reason(audiences=LIVE, campaigns={"upgrade": campaign(audience="live")}) is None


@pytest.mark.parametrize(
    ("sections", "why"),
    [
        ({"kill_switch": True}, "kill_switch"),
        ({"campaigns": {"upgrade": campaign(state="paused")}}, "state"),
        ({"campaigns": {"another": campaign()}}, "state"),
        ({"campaigns": {"upgrade": campaign(ends_at=ago(minutes=1).isoformat())}}, "ended"),
        ({"offers": {"annual": {"cms_ref": "x", "validity_hours": 1, "plans_from": ["basic"]}}}, "plan"),
        ({"offers": {"annual": {"cms_ref": "x", "validity_hours": 1, "plan_to": "premium_monthly"}}}, "has_plan"),
        ({"offers": {"annual": {"cms_ref": "x", "validity_hours": 1, "status": "archived"}}}, "state"),
        ({"audiences": LIVE, "campaigns": {"upgrade": campaign(audience="nobody")}}, "audience"),
    ],
)
def test_what_the_catalog_no_longer_lets_pass_is_revoked_for_it(sections: dict[str, Any], why: str) -> None:
    assert reason(**sections) == why


def test_a_moment_that_no_longer_holds_comes_first() -> None:
    expired = user(paying(status=Status.EXPIRED), triggers=(OPEN,))
    assert reason(expired, kill_switch=True) == "moment"


def test_an_audience_that_asks_for_a_score_is_not_asked_again() -> None:
    """A score that trembles would revoke the offer and make it again."""
    sections = {
        "scores": {"risk": {"version": 1}},
        "audiences": {"likely": {"all": [{"likely": "scores.risk >= 0.5"}]}},
        "campaigns": {"upgrade": campaign(audience="likely")},
    }
    assert reason(**sections) is None


def test_a_trigger_of_a_raised_score_is_true_while_a_score_is_raised() -> None:
    risky = OPEN._replace(moment=MomentKind.CHURN_RISK_RAISED)
    assert reason(one=risky, raised=("risk",)) is None
    assert reason(one=risky) == "score"


@pytest.mark.parametrize("kind", [FeedbackKind.ACCEPTED, FeedbackKind.CONVERTED])
def test_what_the_user_took_is_final(kind: FeedbackKind) -> None:
    taken = OPEN._replace(feedback=(Feedback(kind, ago(minutes=5)),))
    assert reason(one=taken, kill_switch=True) is None


def test_what_the_user_dismissed_is_asked_again() -> None:
    dismissed = OPEN._replace(feedback=(Feedback(FeedbackKind.DISMISSED, ago(minutes=5)),))
    assert reason(one=dismissed, kill_switch=True) == "kill_switch"


@pytest.mark.parametrize("over", [{"revoked": True}, {"expires_at": NOW}])
def test_what_is_over_is_not_asked(over: dict[str, Any]) -> None:
    assert reason(one=OPEN._replace(**over), kill_switch=True) is None


def test_what_another_catalog_has_just_decided_is_left_to_it() -> None:
    """Two instances may hold two catalogs for a while: the older one must not take back what the newer offers."""
    asked = catalog(campaigns={"another": campaign()})
    for age, why in ((CATALOGS_DIFFER - timedelta(seconds=1), None), (CATALOGS_DIFFER, "state")):
        young = trigger(at=NOW - age, catalog_version="newer")
        assert no_longer_true((young,), Situation(asked, user(triggers=(young,))), ()) == (
            {young.trigger_id: why} if why else {}
        )
    own = trigger(at=NOW, catalog_version=asked.version)
    assert no_longer_true((own,), Situation(asked, user(triggers=(own,))), ()) == {own.trigger_id: "state"}


def test_what_was_withheld_is_asked_like_what_was_given() -> None:
    assert reason(one=OPEN._replace(withheld="holdout"), kill_switch=True) == "kill_switch"
