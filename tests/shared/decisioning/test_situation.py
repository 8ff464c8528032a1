"""The data that the candidates of one decision share is computed once."""

from datetime import timedelta

from shared.decisioning.library import Library
from shared.decisioning.losses import LossReason
from shared.decisioning.scoring.score import BrokenScore
from shared.domain.subscription import Status
from tests.support.builders import NOW, campaign, catalog, catalog_with_audience, decide, moment, paying, user
from tests.support.candidates import candidates_of

DAY = timedelta(days=1)


class TestScoresInClauses:
    def failure(self, library: Library) -> str | None:
        asked = catalog(
            library,
            audiences={"risky": {"all": [{"risk": "scores.risk >= 0.5"}]}},
            campaigns={"upgrade": campaign(audience="risky")},
            scores={"risk": {"version": 1}},
        )
        (candidate,) = candidates_of(decide(asked, user(), [moment()]))
        assert candidate.reason == LossReason.AUDIENCE
        return candidate.detail

    def test_that_cannot_be_told_fail_the_clause_and_say_why(self) -> None:
        missing = Library(lambda name, version: BrokenScore(name, version, "no such artifact"))
        expected = 'risk: NOT_FOUND: Key not found in map : "risk" (score risk version 1: no such artifact)'
        assert self.failure(missing) == expected


class TestOnce:
    def test_a_score_is_asked_once_a_decision(self) -> None:
        asked_for: list[str] = []

        def score(name: str, version: int) -> BrokenScore:
            asked_for.append(name)
            return BrokenScore(name, version, "no such artifact")

        asked = catalog(
            Library(score),
            audiences={"risky": {"any": [{"risk": "scores.risk >= 0.5"}, {"all": "true"}]}},
            campaigns={name: campaign(audience="risky", rank={"score": "risk"}) for name in "abc"},
            scores={"risk": {"version": 1}},
        )
        decide(asked, user(), [moment()])
        assert asked_for == ["risk"]


class TestKeptAnswers:
    """The answers of audiences are kept by what they ask for, and hold for another user with the same values."""

    def test_are_those_of_the_users_own_subscriptions(self) -> None:
        asked = catalog_with_audience({"two": "subscriptions.filter(s, s.entitled).size() == 2"})
        lapsed = paying(id="other", status=Status.EXPIRED)
        accounts = ((paying(),), (paying(), paying(id="other")), (paying(), lapsed), (paying(),))
        won = [bool(decide(asked, user(*subscriptions), [moment()]).won) for subscriptions in accounts]
        assert won == [False, True, False, False]

    def test_are_not_kept_by_lists_which_may_be_equal_and_hold_numbers_of_other_types(self) -> None:
        asked = catalog(
            attributes={"sizes": {"type": "list"}},
            audiences={"wanted": {"all": [{"whole": "profile.attributes.sizes.exists(s, type(s) == int)"}]}},
            campaigns={"upgrade": campaign(audience="wanted")},
        )
        given = ([3], [3.0], [3])
        details = [
            candidates_of(decide(asked, user(attributes={"sizes": sizes}), [moment()]))[0].detail
            for sizes in given
        ]
        assert details[0] is details[2] is None
        assert details[1] is not None

    def test_follow_the_clock(self) -> None:
        asked = catalog_with_audience({"old": "subscription.days_since_first_paid >= 90"})
        won = [bool(decide(asked, user(now=NOW + n * DAY), [moment(at=NOW + n * DAY)]).won) for n in (29, 30, 29)]
        assert won == [False, True, False]
