import json
from math import log

import pytest

from infra.analytics.training import churn_risk
from infra.analytics.training.judgement import REFERENCE_RISK, STATUS_LOG_ODDS
from infra.analytics.training.regression import probability
from infra.analytics.training.snapshots import snapshots
from shared.decisioning.audiences.facts import FACTS
from shared.decisioning.scoring.load import load_score
from shared.domain.subscription import Status

SCORE = load_score(churn_risk.ARTIFACT.read_bytes(), FACTS.keys())
HEALTHY = {
    "subscription.status": "active",
    "subscription.auto_renew": True,
    "subscription.payment_failing": False,
    "subscription.recent_payments": 3,
    "subscription.days_until_period_end": 12,
    "signals.cancel_page_viewed.count": 0,
}


@pytest.fixture(scope="module")
def fitted():
    return churn_risk.train()


def risk(**facts):
    scored = SCORE.evaluate(HEALTHY | {name.replace("__", "."): value for name, value in facts.items()})
    assert scored.error is None
    return scored.value


def logit(p):
    return log(p / (1 - p))


def test_the_artifact_is_what_training_makes(fitted):
    assert churn_risk.ARTIFACT.read_text() == churn_risk.text(churn_risk.artifact(fitted))


def test_what_was_not_trained_is_called_judgement():
    named = {feature for _, feature in SCORE.artifact.mentions}
    assert named - set(SCORE.artifact.trained.judged) == {
        "subscription.recent_payments",
        "subscription.days_until_period_end",
    }


def test_the_regression_tells_those_who_leave_from_those_who_stay_among_customers_it_never_saw(fitted):
    metrics = SCORE.artifact.trained.metrics
    assert metrics["auc"] > 0.74
    assert metrics["log_loss"] < 0.9 * metrics["log_loss_of_the_share"]
    assert metrics["calibration_error"] < 0.02
    assert metrics["rows"] == len(fitted.held_out)


def test_nobody_is_in_training_and_held_out():
    held_out = {one.customer for one in snapshots() if churn_risk.is_held_out(one)}
    assert held_out
    assert held_out.isdisjoint(one.customer for one in snapshots() if not churn_risk.is_held_out(one))


def test_the_score_is_the_regression_but_for_the_base_it_starts_from(fitted):
    apart = {
        round(logit(_of_a_customer(one)) - logit(probability(fitted.coefficients, churn_risk.design_row(one))), 9)
        for one in snapshots()
    }
    assert len(apart) == 1


def _of_a_customer(one):
    return risk(
        subscription__recent_payments=one.recent_payments,
        subscription__days_until_period_end=one.days_until_period_end,
    )


def test_the_reference_subscriber_has_the_reference_risk():
    assert risk() == pytest.approx(REFERENCE_RISK, abs=1e-4)


@pytest.mark.parametrize("payments", range(1, 9))
@pytest.mark.parametrize("days_left", [0, 15, 30, 365])
def test_a_healthy_renewing_subscriber_scores_low_at_any_day_of_any_period(payments, days_left):
    facts = {
        "subscription__recent_payments": payments,
        "subscription__days_until_period_end": days_left,
    }
    assert risk(**facts) < 0.3


@pytest.mark.parametrize("payments", range(1, 9))
def test_two_looks_at_the_cancel_page_this_week_and_inactivity_score_high(payments):
    facts = {
        "subscription__recent_payments": payments,
        "signals__cancel_page_viewed__count": 2,
        "signals__cancel_page_viewed__days_since": 2,
        "signals__inactivity__days_since": 4,
    }
    assert risk(**facts) > 0.6


def test_signals_fade_with_time_to_nothing():
    for signal, days in (("cancel_page_viewed", 30), ("support_contact", 14), ("payment_method_expiring", 45)):
        fading = [risk(**{f"signals__{signal}__days_since": day}) for day in range(days + 1)]
        assert fading == sorted(fading, reverse=True)
        assert fading[-1] == risk(**{f"signals__{signal}__days_since": 400}) == risk()


def test_risk_grows_with_the_days_overdue_and_falls_with_the_payments_made():
    overdue = [risk(subscription__days_until_period_end=-days) for days in range(181)]
    paid = [risk(subscription__recent_payments=count) for count in range(1, 9)]
    assert overdue == sorted(overdue)
    assert paid == sorted(paid, reverse=True)


def test_a_signal_seen_by_a_clock_that_is_ahead_counts_as_seen_today():
    assert risk(signals__inactivity__days_since=-1) == risk(signals__inactivity__days_since=0)


def test_every_status_has_its_weight():
    assert set(STATUS_LOG_ODDS) == set(Status)


@pytest.mark.parametrize(
    "fact", ["subscription.recent_payments", "subscription.status", "subscription.auto_renew"]
)
def test_there_is_no_score_without_the_facts_that_everybody_has(fact):
    facts = {name: value for name, value in HEALTHY.items() if name != fact}
    error = SCORE.evaluate(facts).error
    assert error == f"score churn_risk version 1: {fact}: expected a value, found nothing"


def test_the_file_is_plain_json_that_ends_with_a_line():
    text = churn_risk.ARTIFACT.read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["name"] == "churn_risk"
