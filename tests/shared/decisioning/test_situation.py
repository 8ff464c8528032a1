"""The data that the candidates of one decision share is computed once."""

from shared.decisioning.library import Library
from shared.decisioning.losses import LossReason
from shared.decisioning.scoring.score import BrokenScore
from tests.support.builders import campaign, catalog, decide, moment, user
from tests.support.candidates import candidates_of


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
