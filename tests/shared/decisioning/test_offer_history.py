"""Counts by scope, event and window, of stored triggers and of triggers that are only tallied."""

from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.document.vocabulary import MAX_CAP, Scope
from shared.decisioning.offer_history import OfferHistory
from shared.domain.events import FeedbackKind
from shared.domain.sketches import DIGITS, Sketch, cells_of
from shared.domain.tallies import ISSUED, MAX_NAMES, SCOPES, Tallies, evict
from shared.domain.triggers import Feedback, Trigger
from shared.domain.user import User
from tests.support.builders import NOW, ago, campaign, catalog, decide, moment, trigger, user

EVENTS = (ISSUED, *FeedbackKind)
SECOND = timedelta(seconds=1)


def counting(of: User, **cap: Any) -> int:
    """The events counted towards a cap of the campaign `upgrade`."""
    asked = catalog(campaigns={"upgrade": campaign(cap={"max": 1, **cap})})
    (count,) = OfferHistory(of, "UTC").counts(asked.listening(moment())[0])
    return count.used


def at(event: str, when: datetime, **facts: Any) -> Trigger:
    """A trigger with this event at that time, and no other event in any tested window."""
    if event == ISSUED:
        return trigger(at=when, **facts)
    return trigger(at=ago(days=3000), feedback=(Feedback(FeedbackKind(event), when),), **facts)


ELSEWHERE = {"campaign_id": "other", "offer_id": "other", "placement": "other", "channel": "other"}
"""The facts of a trigger that shares nothing with `upgrade` but the user."""
COMMON = {
    "campaign": {"campaign_id": "upgrade"},
    "offer": {"offer_id": "annual"},
    "placement": {"placement": "banner"},
    "channel": {"channel": "in_app"},
    "user": {},
}
"""By scope, the facts that a trigger must share with `upgrade` to be counted."""


def test_every_scope_of_the_catalog_is_counted() -> None:
    assert set(get_args(Scope)) == SCOPES.keys() == COMMON.keys()


@pytest.mark.parametrize(("scope", "event"), [*product(COMMON, EVENTS)])
class TestScopes:
    """The first three tests run for stored triggers and for triggers that are only tallied."""

    @pytest.fixture(params=["remembered", "tallied"])
    def known(self, request: pytest.FixtureRequest) -> Any:
        def known(*triggers: Trigger) -> User:
            if request.param == "remembered":
                return user(triggers=triggers)
            _, tallies, _ = evict(triggers, Tallies(), 0, NOW)
            return user(tallies=tallies)

        return known

    def test_count_what_shares_the_scope(self, scope: str, event: str, known: Any) -> None:
        shared = at(event, ago(days=2), **(ELSEWHERE | COMMON[scope]))
        assert counting(known(shared), scope=scope, event=event) == 1

    def test_count_nothing_else(self, scope: str, event: str, known: Any) -> None:
        others = [at(event, ago(days=2), **(ELSEWHERE | COMMON[name])) for name in COMMON if name != scope]
        assert counting(known(*others), scope=scope, event=event) == (len(others) if scope == "user" else 0)

    def test_count_no_other_event(self, scope: str, event: str, known: Any) -> None:
        others = [at(other, ago(days=2)) for other in EVENTS if other not in {event, ISSUED}]
        of_event = counting(known(*others), scope=scope, event=event)
        assert of_event == (len(others) if event == ISSUED else 0), "a trigger was issued, whatever was reported"

    def test_count_within_their_window_to_the_second(self, scope: str, event: str) -> None:
        for age, counted in ((timedelta(days=7), 0), (timedelta(days=7) - SECOND, 1)):
            assert (
                counting(user(triggers=(at(event, NOW - age),)), scope=scope, event=event, window_days=7)
                == counted
            )


class TestOffersOfVariants:
    """A cap on an offer counts all offers that the campaign may make, because the variant is chosen last."""

    def campaign_with(self, *offers: str | None) -> tuple[OfferHistory, Campaign]:
        variants = [{"id": f"v{n}", "offer": offer, "weight": 1 / len(offers)} for n, offer in enumerate(offers)]
        asked = catalog(
            offers={id_: {"cms_ref": "x", "validity_hours": 1} for id_ in ("annual", "a", "b")},
            campaigns={"upgrade": campaign(experiment="x", cap={"max": 2, "scope": "offer"})},
            experiments={"x": {"variants": variants}},
        )
        of = user(triggers=tuple(trigger("other", offer_id=offer) for offer in ("annual", "a", "b", "c")))
        return OfferHistory(of, "UTC"), asked.listening(moment())[0]

    def test_count_them_and_the_own_one(self) -> None:
        history, capped = self.campaign_with("a", "b")
        assert history.counts(capped)[0].used == 3

    def test_count_none_that_it_does_not_offer(self) -> None:
        history, capped = self.campaign_with("a", None)
        assert history.counts(capped)[0].used == 2

    @pytest.mark.parametrize("stored", [0, 2, 5])
    def test_add_up_whether_stored_or_tallied(self, stored: int) -> None:
        """Two of one variant's offer and three of the other's use up a cap of 5."""
        _, capped = self.campaign_with("a", "b")
        made = [trigger("other", ago(days=9 - n), offer_id="ab"[n % 2]) for n in range(5)]
        kept, tallies, _ = evict(tuple(made), Tallies(), stored, NOW)
        assert OfferHistory(user(triggers=kept, tallies=tallies), "UTC").counts(capped)[0].used == 5

    def test_add_up_what_only_sketches_count(self) -> None:
        _, capped = self.campaign_with("a", None)
        cells = [DIGITS[0]] * 512
        for offer, number in (("annual", "2"), ("a", "3")):
            for cell in cells_of("offer", offer, 512):
                cells[cell] = number
        sketch = Sketch(ISSUED, "".join(cells), ago(days=9))
        assert OfferHistory(user(tallies=Tallies(sketches=(sketch,))), "UTC").counts(capped)[0].used == 5


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 30)), max_size=30), st.integers(1, 12))
def test_a_cap_on_an_offer_holds_whichever_variants_and_campaigns_made_it(
    days: list[tuple[str, int]], stored: int
) -> None:
    """A campaign's users move between its arms, and two other campaigns make the offers of the arms as well."""
    log, known, tallies, now = list[Trigger](), tuple[Trigger, ...](), Tallies(), NOW
    for number, (arm, pause) in enumerate(days):
        now += timedelta(days=pause)
        of = user(now=now, triggers=known, tallies=tallies)
        won = decide(sharing(arm), of, [moment(cause=f"{number}", at=now)]).won
        for one in won:
            shared = {one.offer_id} if one.campaign_id != "tried" else {"annual", "a", "b"}
            assert sum(other.offer_id in shared for other in log) < 5
            log.append(one)
        known, tallies, _ = evict((*known, *won), tallies, stored, now)


@cache
def sharing(arm: str) -> Catalog:
    """Three campaigns, whose offers are capped at five each; all users of the experiment are in one arm."""
    capped = {"cap": {"max": 5, "scope": "offer"}}
    variants = [{"id": id_, "offer": id_, "weight": float(id_ == arm)} for id_ in "ab"]
    return catalog(
        placements={name: {"channel": "in_app", "holds": "decision"} for name in ("banner", "p", "q")},
        offers={id_: {"cms_ref": "x", "validity_hours": 1} for id_ in ("annual", "a", "b")},
        campaigns={
            "tried": campaign(experiment="x", **capped),
            "first": campaign(offer="a", placement="p", priority=90, **capped),
            "last": campaign(offer="b", placement="q", priority=10, **capped),
        },
        experiments={"x": {"variants": variants, "sticky": False}},
    )


class TestTallies:
    """Caps hold beyond the triggers that are stored."""

    def live(self, days: int, campaigns: dict[str, Any], most: int = 3) -> list[Trigger]:
        """The triggers issued over that many days, with one moment a day and few stored triggers."""
        places = {"banner": {"channel": "in_app", "holds": "decision"}}
        asked, log, known, tallies = (
            catalog(campaigns=campaigns, placements=places),
            list[Trigger](),
            tuple[Trigger, ...](),
            Tallies(),
        )
        for day in range(days):
            now = NOW + timedelta(days=day)
            of = user(now=now, triggers=known, tallies=tallies)
            issued = decide(asked, of, [moment(cause=f"{day}", at=now)]).issued
            log += issued
            known, tallies, _ = evict((*known, *issued), tallies, most, now)
        return log

    def test_hold_for_ever(self) -> None:
        log = self.live(60, {"rare": campaign(priority=90, cap={"max": 2}), "often": campaign()})
        assert [one.campaign_id for one in log[:3]] == ["rare", "rare", "often"]
        assert sum(one.campaign_id == "rare" for one in log) == 2

    def test_hold_in_windows_and_make_room_again(self) -> None:
        cap = {"max": 2, "window_days": 20}
        log = self.live(200, {"rare": campaign(priority=90, cap=cap), "often": campaign()})
        days = [(one.decided_at - NOW).days for one in log if one.campaign_id == "rare"]
        assert all(later - earlier >= 20 for earlier, later in zip(days, days[2:], strict=False))
        assert len(days) >= 10

    @pytest.mark.parametrize("window", [{}, {"window_days": 300}])
    def test_hold_when_many_campaigns_take_turns(self, window: dict[str, Any]) -> None:
        cap = {"max": 1, **window}
        log = self.live(MAX_NAMES + 30, {f"c{n:03}": campaign(cap=cap) for n in range(MAX_NAMES)})
        assert [one.campaign_id for one in log] == [f"c{n:03}" for n in range(MAX_NAMES)]

    def test_of_a_campaign_end_when_more_others_than_are_counted_won_since(self) -> None:
        """No cap but those of campaigns and offers is ever forgotten so."""
        campaigns = {f"c{n:03}": campaign(cap={"max": 1}, priority=9) for n in range(MAX_NAMES + 3)}
        log = self.live(MAX_NAMES + 4, {"again": campaign(cap={"max": 1}), **campaigns}, most=1)
        assert [day for day, one in enumerate(log) if one.campaign_id == "again"] == [0, MAX_NAMES + 2]

    def test_of_wide_scopes_hold_when_many_campaigns_take_turns(self) -> None:
        cap = [{"max": 1}, {"max": 5, "window_days": 30, "scope": "user"}, {"max": 20, "scope": "placement"}]
        log = self.live(400, {f"c{n:03}": campaign(cap=cap) for n in range(100)})
        assert len(log) == 20
        for one in log:
            assert sum(timedelta(0) <= one.decided_at - other.decided_at < timedelta(30) for other in log) <= 5

    def test_rests_hold_too(self) -> None:
        log = self.live(100, {"rested": campaign(priority=90, cool_down_hours=24 * 30), "often": campaign()})
        days = [(one.decided_at - NOW).days for one in log if one.campaign_id == "rested"]
        assert days == [0, 30, 60, 90]

    def test_of_before_count_at_least_to_the_highest_cap(self) -> None:
        assert len(DIGITS) - 1 >= MAX_CAP
