"""Facts about offers: what the user was given, counted exactly, whether stored or tallied."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.outbound.decision import Outcome
from shared.decisioning.audiences.offers import LAST, OF_OFFERS, OfOffers, offers_of
from shared.decisioning.catalog import Catalog
from shared.decisioning.losses import LossReason
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import no_longer_true
from shared.domain.errors import InvalidCatalog
from shared.domain.events import FeedbackKind
from shared.domain.sketches import DIGITS, Sketch
from shared.domain.tallies import ISSUED, Tallies, evict
from shared.domain.triggers import Feedback, Trigger
from shared.domain.user import User
from tests.support.builders import NOW, ago, campaign, catalog, decide, moment, trigger, user
from tests.support.candidates import candidates_of

CLICKED, SHOWN = FeedbackKind.CLICKED, FeedbackKind.IMPRESSION


def offers(of: User, campaign: str = "win-back") -> OfOffers:
    return offers_of(of, [campaign])[campaign]


def known(*triggers: Trigger, stored: int = 99) -> User:
    """A user with these triggers, of which all but some are tallied."""
    made = tuple(one._replace(trigger_id=f"t{number}") for number, one in enumerate(triggers))
    kept, tallies, _ = evict(made, Tallies(), stored, NOW)
    return user(triggers=kept, tallies=tallies)


def asking(*clauses: str, **sections: Any) -> Catalog:
    """A catalog with a campaign `upgrade` for users of whom these clauses are true, and others to ask about."""
    audience = {"all": [{f"c{index}": text} for index, text in enumerate(clauses)]}
    quiet = campaign(state="archived")
    campaigns = {"upgrade": campaign(audience="wanted"), "win-back": quiet, "win_back": quiet, "2026": quiet}
    return catalog(audiences={"wanted": audience}, campaigns=campaigns, **sections)


def is_true(clause: str, of: User) -> bool:
    found = candidates_of(decide(asking(clause), of, [moment()]))
    (one,) = (each for each in found if each.campaign_id == "upgrade")
    assert one.reason in {None, LossReason.AUDIENCE}
    return one.outcome is Outcome.ISSUED


def problems(clause: str) -> list[str]:
    with pytest.raises(InvalidCatalog) as refused:
        asking(clause)
    return [problem.partition(": ")[2] for problem in refused.value.problems]


ALL_FIELDS = ", ".join(OF_OFFERS)
NAMES_NONE = "a campaign and a field after offers, such as offers.CAMPAIGN.issued"


class TestFacts:
    def test_of_a_campaign_that_the_user_never_met_are_0_and_null(self) -> None:
        assert offers(user()) == {name: None if name in LAST else 0 for name in OF_OFFERS}

    @pytest.mark.parametrize("stored", [0, 1, 2, 3])
    def test_count_what_is_stored_and_what_is_tallied(self, stored: int) -> None:
        seen = (Feedback(CLICKED, ago(days=8)), Feedback(SHOWN, ago(days=9)))
        again = (Feedback(SHOWN, ago(days=8, hours=1)), Feedback(SHOWN, ago(days=7, hours=23)))
        of = known(
            trigger("win-back", ago(days=30)),
            trigger("other", ago(days=20), feedback=seen),
            trigger("win-back", ago(days=10), feedback=seen, impressions=again),
            stored=stored,
        )
        facts = offers(of)
        assert {name: value for name, value in facts.items() if value} == {
            ISSUED: 2,
            "clicked": 1,
            "impression": 3,
            "last_issued_days": 10,
            "last_clicked_days": 8,
            "last_impression_days": 7,
        }

    @pytest.mark.parametrize("stored", [0, 9])
    def test_leave_out_what_was_withheld(self, stored: int) -> None:
        of = known(trigger("win-back", ago(days=3), withheld="holdout"), stored=stored)
        assert offers(of) == offers(user())

    def test_count_what_a_sketch_of_before_counts(self) -> None:
        sketch = Sketch(ISSUED, DIGITS[2] * 512, ago(days=400))
        facts = offers(user(tallies=Tallies(sketches=(sketch,)), triggers=(trigger("win-back", ago(days=3)),)))
        assert (facts[ISSUED], facts["last_issued_days"]) == (3, 3)

    def test_count_beyond_what_a_cap_can_ask(self) -> None:
        of = known(*(trigger("win-back", ago(days=200 - n)) for n in range(150)), stored=48)
        assert offers(of)[ISSUED] == 150

    def test_never_are_days_to_come(self) -> None:
        early = (Feedback(CLICKED, NOW + timedelta(minutes=4)),)
        assert offers(user(triggers=(trigger("win-back", feedback=early),)))["last_clicked_days"] == 0


class TestClauses:
    @pytest.mark.parametrize(
        "clause",
        [
            "offers.win-back.issued == 1 && offers.win_back.issued == 0",
            'offers[\'win-back\'].last_issued_days == 4 && offers["win-back"]["clicked"] == 0',
            "offers.win_back.last_clicked_days == null",
            "offers.win_back.issued == 0 || offers.win_back.last_issued_days > 30",
            "offers.win-back.issued-offers.win_back.issued == 1 && offers.win-back.issued - 1 == 0",
            "offers.2026.issued == 0 && has(offers.win-back.issued)",
            "offers.win-back.issued == 1 // offers are counted",
            "subscription.plan != 'offers.x.y'",
        ],
    )
    def test_ask_by_name(self, clause: str) -> None:
        assert is_true(clause, user(triggers=(trigger("win-back", ago(days=4)),)))

    def test_that_compare_days_with_none_fail(self) -> None:
        assert not is_true("offers.win_back.last_issued_days > 30", user())
        assert not is_true("offers.win_back.last_issued_days <= 30", user())

    def test_ask_before_the_decision_counts(self) -> None:
        assert is_true("offers.upgrade.issued == 0", user())

    def test_ask_of_a_fallback_in_brackets(self) -> None:
        of = user(triggers=(trigger("fallback.banner", ago(days=4)),))
        placements = {"banner": {"channel": "in_app", "fallback": "annual"}}
        asked = asking("offers['fallback.banner'].issued == 1", placements=placements)
        assert [one.campaign_id for one in decide(asked, of, [moment()]).issued] == ["upgrade"]

    @pytest.mark.parametrize(
        ("clause", "expected"),
        [
            ("offers.win_bak.issued > 0", 'one of the campaigns (win_back?), found "offers.win_bak"'),
            (
                "offers['fallback.baner'].issued > 0",
                'one of the placements (banner?), found "offers.fallback.baner"',
            ),
        ],
    )
    def test_of_campaigns_that_do_not_exist_are_refused(self, clause: str, expected: str) -> None:
        assert problems(clause) == [f"expected {expected}"]

    @pytest.mark.parametrize(
        ("clause", "expected"),
        [
            ("offers.win-back.isued > 0", "a known field instead of offers.win-back.isued (issued?)"),
            (
                "offers.win_back.withheld > 0",
                f"a known field instead of offers.win_back.withheld ({ALL_FIELDS})",
            ),
            ("size(offers) > 0", NAMES_NONE),
            ("'win_back' in offers", NAMES_NONE),
            ("has(offers.win_back)", NAMES_NONE),
            ("offers.win_back.issued.times > 0", NAMES_NONE),
            ("offers.win_back['issued'][0] > 0", NAMES_NONE),
            ("offers[subscription.plan].issued > 0", NAMES_NONE),
            ("offers.win_back.issued > 'once'", "values that go together, not int64 > string"),
        ],
    )
    def test_that_no_user_can_meet_are_refused(self, clause: str, expected: str) -> None:
        assert problems(clause) == [f'expected {expected}, found "{clause}"']

    def test_ask_for_no_more_than_they_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[str, ...]] = []
        monkeypatch.setattr(
            "shared.decisioning.situation.offers_of",
            lambda of, campaigns: (asked.append((*campaigns,)), offers_of(of, campaigns))[1],
        )
        decide(asking("offers.win-back.issued == 0", "subscription.live"), user(), [moment()])
        decide(asking("subscription.live"), user(), [moment()])
        assert asked == [("win-back",)]


def test_the_own_issue_does_not_revoke_an_open_trigger() -> None:
    asked = asking("offers.upgrade.issued == 0")
    open_one = trigger(
        "upgrade", ago(minutes=10), expires_at=NOW + timedelta(days=1), catalog_version=asked.version
    )
    assert no_longer_true([open_one], Situation(asked, user(triggers=(open_one,))), ()) == {}


def test_a_campaign_that_is_gone_is_refused_and_one_that_is_archived_is_not() -> None:
    assert problems("offers.gone.issued == 0") == ['expected one of the campaigns, found "offers.gone"']
    assert is_true("offers.win_back.issued == 0", user())


kinds = st.sampled_from(FeedbackKind)
some_triggers = st.lists(
    st.builds(
        lambda days, name, reported, more, withheld: trigger(
            name,
            ago(days=days),
            feedback=() if withheld else tuple(Feedback(kind, ago(days=days / 2)) for kind in sorted(reported)),
            impressions=() if withheld else tuple(Feedback(SHOWN, ago(days=days / 3)) for _ in range(more)),
            withheld=withheld,
        ),
        st.integers(1, 400),
        st.sampled_from(["a", "b"]),
        st.sets(kinds),
        st.integers(0, 3),
        st.sampled_from(["", "", "holdout", "variant"]),
    ),
    max_size=80,
)


@given(some_triggers, st.integers(0, 80))
def test_it_makes_no_difference_what_is_stored_and_what_is_tallied(triggers: list[Trigger], stored: int) -> None:
    in_order = sorted(triggers, key=lambda one: one.decided_at)
    assert offers_of(known(*in_order, stored=stored), "ab") == offers_of(known(*in_order), "ab")
