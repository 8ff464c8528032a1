"""Hysteresis: a score raises its moment once, and again only after it fell below `rearm_below`."""

from typing import Any

import pytest

from shared.decisioning.catalog import Catalog
from shared.decisioning.hysteresis import cross_thresholds
from shared.decisioning.library import Library
from shared.decisioning.scoring.score import BrokenScore, Score
from shared.decisioning.situation import Situation
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Status, Subscription
from tests.support import artifacts
from tests.support.builders import NOW, catalog, paying, user

RAISES = {"moment": "churn_risk.raised", "at_least": 0.6, "rearm_below": 0.4}
RAISED = Moment(MomentKind.CHURN_RISK_RAISED, "main", NOW, "cause")


def asked(**values: float | None) -> Catalog:
    """A catalog whose scores have these values for every user; None: a broken score."""

    def score(name: str, version: int) -> Score | BrokenScore:
        value = values[name]
        if value is None:
            return BrokenScore(name, version, "no such artifact")
        return artifacts.score(artifacts.trees([artifacts.leaf(value)], name=name, version=version))

    scores = {name: {"version": 1, "raises": RAISES} for name in values}
    return catalog(Library(score), scores=scores)


def after(
    *raised: str, of: Subscription | None = None, **values: float | None
) -> tuple[tuple[Moment, ...], tuple[str, ...]]:
    return cross_thresholds(Situation(asked(**values), user(of or paying())), raised, "cause")


@pytest.mark.parametrize(
    ("value", "up_before", "moments", "up_after"),
    [
        (0.59, (), (), ()),
        (0.6, (), (RAISED,), ("risk",)),
        (1.0, (), (RAISED,), ("risk",)),
        (0.6, ("risk",), (), ("risk",)),
        (0.59, ("risk",), (), ("risk",)),
        (0.4, ("risk",), (), ("risk",)),
        (0.39, ("risk",), (), ()),
        (0.0, (), (), ()),
    ],
)
def test_a_score_rises_at_its_mark_and_falls_below_the_other(
    value: float, up_before: Any, moments: Any, up_after: Any
) -> None:
    assert after(*up_before, risk=value) == (moments, up_after)


@pytest.mark.parametrize(("value", "up"), [(1.0, ()), (0.0, ("risk",)), (None, ("risk",))])
def test_an_outdated_catalog_neither_raises_nor_lowers_a_score(value: float | None, up: tuple[str, ...]) -> None:
    """The newer one may have another threshold, or no such score."""
    outdated = Situation(asked(risk=value), user(paying()), is_outdated=True)
    assert cross_thresholds(outdated, up, "cause") == ((), up)
    assert cross_thresholds(Situation(asked(), user(paying()), is_outdated=True), up, "cause") == ((), up)


def test_on_the_way_down_and_up_again_it_is_raised_when_it_fell_below() -> None:
    up: tuple[str, ...] = ()
    raised = []
    for value in (0.7, 0.5, 0.7, 0.4, 0.9, 0.3, 0.5, 0.6, 0.8):
        moments, up = after(*up, risk=value)
        raised.append(len(moments))
    assert raised == [1, 0, 0, 0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("up", [(), ("risk",)])
def test_a_score_that_cannot_be_told_changes_nothing(up: tuple[str, ...]) -> None:
    assert after(*up, risk=None) == ((), up)


@pytest.mark.parametrize("up", [(), ("risk",)])
def test_of_who_has_no_access_to_lose_nothing_changes(up: tuple[str, ...]) -> None:
    for status in set(Status) - {Status.TRIALING, Status.ACTIVE, Status.GRACE}:
        assert after(*up, of=paying(status=status), risk=0.9) == ((), up)


def test_the_subscription_that_speaks_for_the_user_is_the_one_at_risk() -> None:
    moments, _ = after(of=paying(id="car"), risk=0.9)
    assert [one.subscription_id for one in moments] == ["car"]


def test_several_scores_that_rise_at_once_bring_one_moment() -> None:
    assert after(one=0.9, two=0.8) == ((RAISED,), ("one", "two"))


def test_each_score_rises_by_itself() -> None:
    assert after("one", one=0.9, two=0.8) == ((RAISED,), ("one", "two"))
    assert after("one", "two", one=0.1, two=0.8) == ((), ("two",))


def test_a_score_that_the_catalog_raises_no_more_is_forgotten() -> None:
    assert after("gone", risk=0.1) == ((), ())
