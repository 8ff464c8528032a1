"""Places as one decision finds them, where only another catalog could have left them so."""

from shared.decisioning.losses import LossReason
from shared.domain.triggers import Trigger
from tests.support.builders import ago, campaign, catalog, decide, moment, trigger, user


def replaced(*held: Trigger, **campaigns: object) -> tuple[list[str], LossReason | None]:
    decision = decide(catalog(campaigns=campaigns), user(triggers=held), [moment(cause="now")])
    by_id = {one.campaign_id: one for one in decision.candidates}
    return [one.campaign_id for one in decision.replaced], by_id["new"].reason


def test_after_the_places_became_fewer_a_winner_brings_them_down_to_what_is_allowed() -> None:
    held = (trigger("a", ago(minutes=30)), trigger("b", ago(minutes=20)))
    others = {name: campaign(state="paused") for name in "ab"}
    assert replaced(*held, **others, new=campaign(priority=60)) == (["a", "b"], None)
    others["b"] = campaign(state="paused", priority=60)
    assert replaced(*held, **others, new=campaign(priority=60)) == ([], LossReason.OUTRANKED)


def test_a_campaign_that_the_catalog_no_longer_has_gives_way_to_any() -> None:
    assert replaced(trigger("gone", ago(minutes=30)), new=campaign(priority=0)) == (["gone"], None)


def test_what_another_catalog_has_just_decided_keeps_its_place() -> None:
    """The other catalog may be the newer one, and rank the campaigns otherwise."""
    young = trigger("low", ago(minutes=4), catalog_version="newer")
    low = campaign(priority=1, state="paused")
    assert replaced(young, low=low, new=campaign()) == ([], LossReason.OUTRANKED)
    old = young._replace(decided_at=ago(minutes=5))
    assert replaced(old, low=low, new=campaign()) == (["low"], None)
    assert replaced(young._replace(campaign_id="new"), new=campaign()) == (["new"], None)


def test_a_fallback_gives_way_to_any_campaign() -> None:
    places = {"banner": {"channel": "in_app", "fallback": "annual"}}
    held = trigger("fallback.banner", ago(minutes=30))
    asked = catalog(placements=places, campaigns={"new": campaign(priority=0)})
    decision = decide(asked, user(triggers=(held,)), [moment(cause="now")])
    assert [one.campaign_id for one in decision.replaced] == ["fallback.banner"]
