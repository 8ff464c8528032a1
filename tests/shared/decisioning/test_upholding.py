"""Upholding: an open trigger is asked again, and revoked for the first reason that no longer lets it pass."""

from datetime import timedelta
from typing import Any

import pytest

from shared.decisioning import situation as asked_in
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import no_longer_true
from shared.domain.events import FeedbackKind
from shared.domain.moments import MomentKind
from shared.domain.subscription import Status
from shared.domain.triggers import Feedback, Trigger
from shared.domain.user import User
from tests.support.builders import NOW, ago, campaign, catalog, paying, trigger, user

OPEN = trigger(at=ago(minutes=30))
LIVE = {"live": {"all": [{"live": "subscription.live"}]}, "nobody": {"all": [{"no": "false"}]}}


def reason(
    of: User | None = None,
    one: Trigger = OPEN,
    raised: tuple[str, ...] = (),
    *,
    is_outdated: bool = False,
    **sections: Any,
) -> str | None:
    """The reason why an open trigger of the campaign `upgrade` is no longer true."""
    asked = of or user(triggers=(one,))
    situation = Situation(catalog(**sections), asked, is_outdated=is_outdated)
    return no_longer_true((one,), situation, raised).get(one.trigger_id)


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


@pytest.mark.parametrize(
    "sections", [{"kill_switch": True}, {"campaigns": {"upgrade": campaign(state="paused")}}, {"campaigns": {}}]
)
def test_an_outdated_catalog_takes_nothing_back(sections: dict[str, Any]) -> None:
    """Two instances may hold two catalogs for a while: the older one must not take back what the newer offers."""
    assert reason(**sections)
    assert reason(is_outdated=True, **sections) is None
    assert reason(one=OPEN._replace(moment=MomentKind.CHURN_RISK_RAISED), is_outdated=True) is None


def test_what_was_withheld_is_asked_like_what_was_given() -> None:
    assert reason(one=OPEN._replace(withheld="holdout"), kill_switch=True) == "kill_switch"


def test_what_the_user_only_saw_is_asked_again() -> None:
    seen = OPEN._replace(feedback=(Feedback(FeedbackKind.CLICKED, ago(minutes=5)),))
    assert reason(one=seen, kill_switch=True) == "kill_switch"


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        ({}, None),
        ({"status": "archived"}, "state"),
        ({"plans_from": ["basic"]}, "plan"),
        ({"plan_to": "premium_monthly"}, "has_plan"),
        ({"plan_to": "premium_annual"}, None),
    ],
)
def test_an_offer_that_is_not_the_campaigns_own_is_asked_too(offer: dict[str, Any], why: str | None) -> None:
    """It may be that of a variant, or the one that the campaign had when it was made."""
    own = {"annual": {"cms_ref": "x", "validity_hours": 1}}
    former = OPEN._replace(offer_id="former")
    assert reason(one=former, offers=own | {"former": {"cms_ref": "x", "validity_hours": 1, **offer}}) == why
    assert reason(one=former, offers=own) == "state"


def test_the_offers_of_all_variants_are_asked_so_that_the_arms_are_alike() -> None:
    offer = {"cms_ref": "x", "validity_hours": 1}
    sections = {
        "offers": {"annual": offer, "same": {**offer, "plan_to": "premium_monthly"}},
        "experiments": {"x": {"variants": [{"id": it, "offer": it, "weight": 0.5} for it in ("annual", "same")]}},
        "campaigns": {"upgrade": campaign(experiment="x")},
    }
    assert reason(**sections) == "has_plan"


@pytest.mark.parametrize(
    ("offer", "why"),
    [({}, None), ({"status": "draft"}, "state"), ({"plan_to": "premium_monthly"}, "has_plan")],
)
def test_a_fallback_is_asked_like_a_campaign(offer: dict[str, Any], why: str | None) -> None:
    sections = {
        "placements": {"banner": {"channel": "in_app", "fallback": "small"}},
        "offers": {
            "annual": {"cms_ref": "x", "validity_hours": 1},
            "small": {"cms_ref": "x", "validity_hours": 1, **offer},
        },
    }
    shown = OPEN._replace(campaign_id="fallback.banner", offer_id="small")
    assert reason(one=shown, **sections) == why
    assert reason(one=shown) == "state", "the placement has no fallback any more"


def test_a_moment_that_no_longer_holds_is_no_matter_of_catalogs() -> None:
    expired = user(paying(status=Status.EXPIRED))
    assert reason(expired, is_outdated=True) == "moment"


class TestAskingAgain:
    """An audience is evaluated again only if a fact that it asks for has changed."""

    AUDIENCES = {  # noqa: RUF012 - JSON
        "swedes": {"all": [{"there": "profile.country == 'SE'"}]},
        "soon": {"all": [{"soon": "now < timestamp('2026-06-01T12:00:01Z')"}]},
    }

    def evaluations(self, audience: str, *users: User, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[Any]]:
        asked = catalog(audiences=self.AUDIENCES, campaigns={"upgrade": campaign(audience=audience)})
        counted: list[object] = []
        evaluate = asked_in.failures
        monkeypatch.setattr(asked_in, "failures", lambda *args: counted.append(args) or evaluate(*args))
        reasons = [no_longer_true((OPEN,), Situation(asked, one), ()).get(OPEN.trigger_id) for one in users]
        return len(counted), reasons

    def test_costs_nothing_while_no_fact_changes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        users = [user(country="SE", now=NOW + timedelta(seconds=seconds)) for seconds in range(5)]
        assert self.evaluations("swedes", *users, monkeypatch=monkeypatch) == (1, [None] * 5)

    def test_sees_every_change(self, monkeypatch: pytest.MonkeyPatch) -> None:
        users = [user(country=country) for country in ("SE", "DE", None, "SE", "DE")]
        expected = [None, "audience", "audience", None, "audience"]
        assert self.evaluations("swedes", *users, monkeypatch=monkeypatch) == (3, expected)

    def test_is_never_spared_where_the_time_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        users = [user(now=NOW + timedelta(seconds=seconds)) for seconds in range(2)]
        assert self.evaluations("soon", *users, monkeypatch=monkeypatch) == (2, [None, "audience"])
