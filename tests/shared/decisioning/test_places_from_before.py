"""Places as one decision finds them, where only another catalog could have left them so."""

from shared.decisioning.decide import decide as decide_in
from shared.decisioning.losses import LossReason
from shared.decisioning.situation import Situation
from shared.domain.triggers import Trigger
from tests.support.builders import ago, campaign, catalog, decide, moment, trigger, user
from tests.support.candidates import candidates_of


def replaced(
    *held: Trigger, is_outdated: bool = False, **campaigns: object
) -> tuple[list[str], LossReason | None]:
    of = user(triggers=held)
    asked = Situation(catalog(campaigns=campaigns), of, is_outdated=is_outdated)
    decision = decide_in(asked, [moment(cause="now")])
    by_id = {one.campaign_id: one for one in candidates_of(decision)}
    return [one.campaign_id for one in decision.replaced], by_id["new"].reason


def test_after_the_places_became_fewer_a_winner_brings_them_down_to_what_is_allowed() -> None:
    held = (trigger("a", ago(minutes=30)), trigger("b", ago(minutes=20)))
    others = {name: campaign(state="paused") for name in "ab"}
    assert replaced(*held, **others, new=campaign(priority=60)) == (["a", "b"], None)
    others["b"] = campaign(state="paused", priority=60)
    assert replaced(*held, **others, new=campaign(priority=60)) == ([], LossReason.OUTRANKED)


def test_a_campaign_that_the_catalog_no_longer_has_gives_way_to_any() -> None:
    assert replaced(trigger("gone", ago(minutes=30)), new=campaign(priority=0)) == (["gone"], None)


def test_an_outdated_catalog_replaces_nothing() -> None:
    """The newer catalog may rank the campaigns otherwise, and may have made the offer of the campaign another."""
    low, held = campaign(priority=1), trigger("low", ago(minutes=30))
    assert replaced(held, low=low, new=campaign()) == (["low"], None)
    assert replaced(held, is_outdated=True, low=low, new=campaign()) == ([], LossReason.OUTRANKED)
    own = held._replace(campaign_id="new")
    assert replaced(own, new=campaign()) == (["new"], None)
    assert replaced(own, is_outdated=True, new=campaign()) == ([], LossReason.OUTRANKED)


def test_a_fallback_gives_way_to_any_campaign() -> None:
    places = {"banner": {"channel": "in_app", "fallback": "annual"}}
    held = trigger("fallback.banner", ago(minutes=30))
    asked = catalog(placements=places, campaigns={"new": campaign(priority=0)})
    decision = decide(asked, user(triggers=(held,)), [moment(cause="now")])
    assert [one.campaign_id for one in decision.replaced] == ["fallback.banner"]
