"""Facts about the present event in clauses: for the moments that it brought, and null for all others."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from infra.catalog.warnings import OF_FAILURES, warnings
from shared.decisioning.catalog import Catalog
from shared.decisioning.situation import Situation
from shared.decisioning.upholding import no_longer_true
from shared.domain.events import (
    Event,
    Fact,
    Key,
    PaymentOutcome,
    PaymentReported,
    Purchase,
    ReasonCode,
    Signal,
    SignalSeen,
    TimePassed,
    TrialStarted,
)
from shared.domain.history import History
from shared.domain.moments import BY_TIME_ALONE, Deferred, MomentKind
from shared.domain.user import User
from tests.support.builders import NOW, campaign, catalog, decide, moment, trigger, user
from tests.support.candidates import candidates_of
from tests.support.histories import TERMS, histories, in_order
from tests.support.lives import lives

FAILED = PaymentReported(
    PaymentOutcome.FAILED, amount=999, currency="EUR", purchase=Purchase("stripe"), failure_reason="card_expired"
)
SIGNAL = SignalSeen(Signal.AUTO_RENEW_OFF, reason_code=ReasonCode.PRICE_INCREASE)
TRIAL = TrialStarted("basic", NOW, purchase=Purchase("app_store"))


def event(fact: Fact) -> Event:
    return Event(Key(NOW, "payment", "", "e-1"), "user-1", "main", fact, "digest")


CAUSE = event(FAILED).key.cause


def asking(*clauses: str, **terms: Any) -> Catalog:
    named = [{f"c{number}": text} for number, text in enumerate(clauses)]
    return catalog(
        audiences={"wanted": {"all": named}}, campaigns={"upgrade": campaign(audience="wanted", **terms)}
    )


def of(fact: Fact) -> User:
    return user(event=event(fact))


@pytest.mark.parametrize(
    ("fact", "clause"),
    [
        (FAILED, "event.failure_reason == 'card_expired' && event.amount == 999 && event.store == 'stripe'"),
        (FAILED, "event.reason_code == null"),
        (SIGNAL, "event.reason_code == 'price_increase' && event.amount == null && event.store == null"),
        (TRIAL, "event.store == 'app_store' && event.failure_reason == null && event.reason_code == null"),
        (TimePassed(), "event.amount == null && event.store == null"),
    ],
)
def test_the_facts_are_those_of_the_event_that_brought_the_moment(fact: Fact, clause: str) -> None:
    assert decide(asking(clause), of(fact), [moment(cause=CAUSE)]).issued


def test_for_a_moment_that_time_or_another_event_brought_they_are_null() -> None:
    known = asking("event.failure_reason == 'card_expired'")
    assert not decide(known, of(FAILED), [moment(cause="another")]).issued
    unknown = asking("event.failure_reason == null && event.amount == null && event.store == null")
    assert decide(unknown, of(FAILED), [moment(cause="another")]).issued
    assert not decide(unknown, of(FAILED), [moment(cause=CAUSE)]).issued


def test_for_a_deferred_moment_they_are_null() -> None:
    """The event that brought it is no longer at hand, and the present one has nothing to do with it."""
    deferred = Deferred(moment(cause="earlier"), "upgrade", NOW)
    (candidate,) = candidates_of(decide(asking("event.amount > 5"), of(FAILED), [deferred]))
    assert candidate.detail == "c0: UNKNOWN: No matching overloads found : _>_(null_type, int64)"


def test_two_moments_of_one_decision_are_asked_each_by_itself() -> None:
    made = asking("event.amount == 999", moments=["renewed", "lapsed"])
    of_time = moment(MomentKind.LAPSED, "lapsed/main/7/x", offset=7)
    outcomes = candidates_of(decide(made, of(FAILED), [moment(cause=CAUSE), of_time]))
    assert {one.moment: one.reason for one in outcomes} == {"renewed": None, "lapsed": "audience"}


def test_without_an_event_they_are_null() -> None:
    assert decide(asking("event.amount == null"), user(), [moment()]).issued


def test_an_open_trigger_is_not_asked_again_for_the_event_that_brought_it() -> None:
    made = asking("event.failure_reason == 'card_expired'")
    open_one = trigger(catalog_version=made.version, at=NOW - timedelta(minutes=30))
    assert no_longer_true((open_one,), Situation(made, of(SIGNAL)), ()) == {}


@pytest.mark.parametrize(
    ("clause", "moments", "told"),
    [
        ("event.failure_reason == 'x'", ["payment.failed", "auto_renew.off"], []),
        ("event.failure_reason == 'x'", ["payment.failed", "renewed"], [1]),
        ("event.failure_reason == 'x' || subscription.live", ["renewed"], []),
        ("event.failure_reason == null || event.failure_reason != 'x'", ["renewed"], []),
        ("event.amount > 5", ["renewed", "lapsed@7"], [1]),
        ("event.store == 'stripe' && subscription.live", ["trial.ending"], [0]),
        ("event.reason_code == null", ["lapsed@7"], []),
    ],
)
def test_lint_warns_of_moments_that_no_event_with_the_fact_brings(
    clause: str, moments: list[str], told: list[int]
) -> None:
    found = [*warnings(asking(clause, moments=moments).document, NOW)]
    assert [one.partition(":")[0] for one in found] == [f"campaigns.upgrade.moments[{index}]" for index in told]


@given(histories() | lives())
def test_a_failed_payment_brings_no_moments_but_those_that_lint_takes_for_granted(events: list[Event]) -> None:
    history = History()
    for one in in_order(events):
        folded = history.add(one, TERMS)
        history = folded.history
        brought = {each.kind for each in folded.moments if each.cause == one.key.cause}
        assert not brought & BY_TIME_ALONE
        if isinstance(one.fact, PaymentReported) and one.fact.outcome is PaymentOutcome.FAILED:
            assert brought <= OF_FAILURES
