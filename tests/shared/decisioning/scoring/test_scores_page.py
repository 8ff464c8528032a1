import json
import re

import pytest

from infra.analytics.artifacts import find_score
from infra.topology import ROOT
from shared.decisioning.audiences.facts import FACTS
from shared.decisioning.scoring.artifact import Artifact, Training
from shared.decisioning.scoring.load import InvalidScore, load_score
from shared.decisioning.scoring.logistic_artifact import CategoricalTerm, Knot, Logistic, NumericTerm
from shared.decisioning.scoring.trees_artifact import CategoricalSplit, Leaf, NumericSplit, Trees
from tests.support.artifacts import leaf, logistic, number, split, trees, written

PAGE = (ROOT / "docs/scores.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
CHURN_RISK = find_score("churn_risk@1")

HEALTHY = {
    "subscription.status": "active",
    "subscription.auto_renew": True,
    "subscription.payment_failing": False,
    "subscription.recent_payments": 3,
    "subscription.days_until_period_end": 12,
}
TWO_LOOKS = {
    "signals.cancel_page_viewed.count": 2,
    "signals.cancel_page_viewed.days_since": 2,
    "signals.inactivity.days_since": 4,
}
WORKED = {
    "paid once, renews, nothing amiss": {"subscription.recent_payments": 1},
    "paid three times, renews, nothing amiss": {},
    "paid eight times, renews, nothing amiss": {"subscription.recent_payments": 8},
    "paid three times, looked at the cancel page today": {
        "signals.cancel_page_viewed.count": 1,
        "signals.cancel_page_viewed.days_since": 0,
    },
    "paid three times, looked at it twice, last two days ago, inactive four days ago": TWO_LOOKS,
    "paid eight times, the same": TWO_LOOKS | {"subscription.recent_payments": 8},
    "paid three times, auto-renew off": {"subscription.auto_renew": False},
    "paid three times, payment failing, in grace, two days overdue": {
        "subscription.payment_failing": True,
        "subscription.status": "grace",
        "subscription.days_until_period_end": -2,
    },
    "trial, auto-renew on, never paid": {
        "subscription.status": "trialing",
        "subscription.recent_payments": 0,
        "subscription.days_until_period_end": None,
    },
    "paid three times, expired 40 days ago": {
        "subscription.status": "expired",
        "subscription.days_until_period_end": -40,
    },
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_valid_score_that_asks_for_facts_there_are(example):
    asked = load_score(example.encode(), FACTS.keys())
    assert asked.features


def test_there_is_an_example_of_each_kind():
    assert {json.loads(example)["kind"] for example in EXAMPLES} == {"logistic", "trees"}


@pytest.mark.parametrize(
    "part",
    [
        Artifact,
        Training,
        Logistic,
        NumericTerm,
        Knot,
        CategoricalTerm,
        Trees,
        NumericSplit,
        CategoricalSplit,
        Leaf,
    ],
)
def test_every_field_is_shown(part):
    shown = "".join(EXAMPLES)
    unseen = [name for name in part.model_fields if f'"{name}":' not in shown]
    assert [name for name in unseen if f"`{name}`" not in PAGE] == []


def test_the_mistakes_it_shows_are_the_mistakes_one_gets():
    mistaken = [
        logistic(numeric=[number() | {"coeficient": 0.4}]),
        logistic(numeric=[number(missing=0)]),
        trees([split(right=3), leaf(0), leaf(0), leaf(1)]),
    ]
    for content in mistaken:
        with pytest.raises(InvalidScore) as refused:
            load_score(written(content))
        [problem] = refused.value.problems
        assert f"{problem}\n" in PAGE


@pytest.mark.parametrize("who", WORKED)
def test_the_worked_examples_are_what_the_shipped_score_says(who):
    told = f"{CHURN_RISK.evaluate(HEALTHY | WORKED[who]).value:.2f}"
    assert f"\n| {who} | {told} |\n" in PAGE


def test_every_worked_example_is_checked():
    table = PAGE.partition("| who | score |")[2]
    assert re.findall(r"^\| (?!---)(.*?) \| \d", table, re.MULTILINE) == list(WORKED)


def test_the_quality_it_tells_is_what_the_artifact_tells():
    trained = CHURN_RISK.artifact.trained
    metrics = trained.metrics
    assert (
        f"| {metrics['auc']:.3f} | {metrics['log_loss']:.3f} | {metrics['log_loss_of_the_share']:.3f} "
        f"| {metrics['calibration_error']:.3f} |"
    ) in PAGE
    assert f"{trained.rows:,} rows" in PAGE
    assert f"{metrics['rows']:,.0f} rows" in PAGE
