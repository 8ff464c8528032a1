from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.decisioning.audiences.audience import Audience, activate, all_of, any_of
from shared.decisioning.audiences.clauses import Clause, InvalidClause, compile_clause, compiled
from shared.decisioning.audiences.facts import OF_SUBSCRIPTION, VARIABLES, facts_about
from shared.decisioning.audiences.membership import failures
from shared.domain.events import Ownership, PaymentOutcome, PaymentReported, Purchase, ReasonCode, Signal
from shared.domain.grants import Dispute, DisputeState, GrantKind, Refund
from shared.domain.instants import END_OF_TIME
from shared.domain.signals import BehaviouralSignal
from shared.domain.subscription import (
    Cancellation,
    Pause,
    PlanChange,
    PriceIncrease,
    Renewal,
    Said,
    Status,
    Subscription,
    ToldGrace,
)
from shared.domain.user import User
from tests.support.builders import NOW, ago, grant, paying, user
from tests.support.story import failed

NEVER_SEEN = Subscription("main")
FAILED = failed(0)._replace(
    fact=PaymentReported(
        PaymentOutcome.FAILED, amount=999, purchase=Purchase("stripe"), failure_reason="card_expired"
    )
)


def clause(text: str, name: str = "clause") -> Clause:
    """A clause that skipped the checks, because a clause that they miss must fail closed too."""
    return Clause(name, text, compiled(text))


def answer(text: str, of: User | None = None) -> str | None:
    return clause(text).failure(activate(facts_about(of or user())))


def audience(*texts: str, quantifier: Any = all_of) -> Audience:
    return quantifier("a", [clause(text, f"c{number}") for number, text in enumerate(texts)])


def failure(*texts: str, quantifier: Any = all_of, of: User | None = None) -> str | None:
    (found,) = failures((audience(*texts, quantifier=quantifier),), facts_about(of or user()))
    return found


def test_a_true_clause_does_not_fail() -> None:
    assert answer("subscription.status == 'active'") is None


def test_a_false_clause_fails_by_its_name() -> None:
    assert answer("subscription.status == 'expired'") == "clause"


CLOSED = {
    "a comparison with null": (
        "subscription.grace_until > 'x'",
        "clause: UNKNOWN: No matching overloads found : _>_(null_type, string)",
    ),
    "a key that is not there": (
        "features.tenure > 3",
        'clause: NOT_FOUND: Key not found in map : "tenure"',
    ),
    "a division by zero": ("1 / 0 == 1", "clause: INVALID_ARGUMENT: divide by zero"),
    "text that is no time": (
        "timestamp(subscription.plan) < now",
        "clause: INVALID_ARGUMENT: String to Timestamp conversion failed",
    ),
    "a truthy string": ("subscription.plan", "clause: expected BOOL, found STRING"),
    "a truthy number": ("dyn(1)", "clause: expected BOOL, found INT"),
    "null": ("subscription.grace_until", "clause: expected BOOL, found NULL"),
}


@pytest.mark.parametrize(("text", "expected"), CLOSED.values(), ids=CLOSED)
def test_what_is_no_real_boolean_fails_closed_and_says_why(text: str, expected: str) -> None:
    assert answer(text) == expected


@pytest.mark.parametrize(("text", "expected"), CLOSED.values(), ids=CLOSED)
@pytest.mark.parametrize("quantifier", [all_of, any_of])
def test_an_error_fails_the_audience_closed_and_says_why(text: str, expected: str, quantifier: Any) -> None:
    assert failure(text, quantifier=quantifier) == expected.replace("clause", "c0")


def test_an_error_does_not_pass_by_being_negated() -> None:
    assert answer("!(features.tenure > 3)") is not None
    assert failure("!(features.tenure > 3)") is not None


class Exhausted:
    """A program that raises, as CEL does after 10,000 iterations. The catalog refuses clauses that might."""

    def eval(self, _activation: Any) -> None:
        raise RuntimeError("Iteration budget exceeded")


@pytest.mark.parametrize("combine", [all, any])
def test_an_evaluation_that_gives_up_fails_closed(combine: Any) -> None:
    clause = Clause("endless", "", Exhausted())
    assert clause.failure(None) == "endless: Iteration budget exceeded"
    unreadable = Audience("a", (clause,), combine, "(")
    assert failures((unreadable,), {}) == ["endless: Iteration budget exceeded"]


def test_an_evaluation_of_several_that_gives_up_asks_each_by_itself() -> None:
    forever = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].exists(a, a > 10)"
    for _ in range(4):
        forever = f"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].exists(a, {forever})"
    several = (audience(forever), audience("subscription.live"), audience("false"))
    (told, *others) = failures(several, facts_about(user()))
    assert told
    assert "iteration" in told.lower()
    assert others == [None, "c0"]


def test_of_several_audiences_one_that_errs_takes_none_along() -> None:
    several = (
        audience("true", "1 / 0 == 1"),
        audience("subscription.live"),
        audience("true", "false"),
        audience("1 / 0 == 1", "false", quantifier=any_of),
        audience("false", "true", quantifier=any_of),
    )
    facts = facts_about(user())
    division = "INVALID_ARGUMENT: divide by zero"
    assert failures(several, facts) == [f"c1: {division}", None, "c1", f"c0: {division}", None]
    assert failures(several[1:3], facts) == [None, "c1"]


CLAUSES = (
    "true",
    "false",
    "subscription.live",
    "subscription.plan == 'premium'",
    "subscription.plan",
    "subscription.grace_until > 'x'",
    "1 / 0 == 1",
    "features.tenure > 3",
    "dyn(1)",
    "false || true // a comment",
)
SEVERAL = st.lists(
    st.builds(
        lambda texts, quantifier: audience(*texts, quantifier=quantifier),
        st.lists(st.sampled_from(CLAUSES), min_size=1, max_size=4),
        st.sampled_from([all_of, any_of]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60)
@given(SEVERAL, st.sampled_from([user(), user(NEVER_SEEN)]))
def test_asked_together_audiences_answer_as_clause_by_clause(several: list[Audience], of: User) -> None:
    facts = facts_about(of)
    one_by_one = [[clause.failure(activate(facts)) for clause in one.clauses] for one in several]
    expected = [
        None if one.combine(failure is None for failure in found) else next(filter(None, found))
        for one, found in zip(several, one_by_one, strict=True)
    ]
    assert failures(tuple(several), facts) == expected


def test_audiences_that_are_too_much_for_one_program_are_asked_by_themselves() -> None:
    long = f"subscription.plan != '{'x' * 60_000}'"
    several = (audience(long), audience(long, "false"))
    assert failures(several, facts_about(user())) == [None, "c1"]


def test_all_of_names_the_first_clause_that_fails() -> None:
    assert failure("true", "subscription.live", "false", "1 / 0 == 1", "false") == "c2"


def test_all_of_names_an_error_that_comes_before_a_false_clause() -> None:
    assert failure("true", "1 / 0 == 1", "false") == "c1: INVALID_ARGUMENT: divide by zero"


def test_all_of_passes_only_if_every_clause_is_true() -> None:
    assert failure("true", "subscription.live", "subscription.entitled") is None
    assert failure("true", "features.x", "true") is not None


def test_any_of_passes_if_one_clause_is_true_even_beside_an_error() -> None:
    assert failure("false", "1 / 0 == 1", "subscription.live", quantifier=any_of) is None
    assert failure("1 / 0 == 1", "true", quantifier=any_of) is None
    assert failure("subscription.plan", "true", quantifier=any_of) is None


def test_any_of_names_its_first_clause_if_none_is_true() -> None:
    assert failure("false", "!subscription.live", quantifier=any_of) == "c0"


def test_a_clause_may_end_in_a_comment() -> None:
    assert failure("true // of course", "subscription.live // still", "false // alas") == "c2"
    assert failure("false // alas", "subscription.live // still", quantifier=any_of) is None


def test_a_clause_cannot_reach_out_of_its_parentheses() -> None:
    with pytest.raises(InvalidClause, match="valid CEL"):
        compile_clause("c", "false) || (true")


def test_every_variable_is_there_for_a_user_never_seen() -> None:
    assert facts_about(user(NEVER_SEEN)).keys() == VARIABLES.keys()
    assert answer("subscription.status == 'none' && subscription.plan == null", user(NEVER_SEEN)) is None


def test_a_user_without_subscriptions_has_the_facts_of_none() -> None:
    nobody = User("user-1", NOW, type(user().account)(), user().profile)
    assert answer("subscriptions.size() == 0 && subscription.status == 'none'", nobody) is None


PERIOD = grant(NOW, days=1.5)
TRIAL = grant(ago(days=250), kind=GrantKind.TRIAL, amount=0)._replace(end=ago(days=240, hours=1))
FULL = paying(
    8,
    current=PERIOD,
    grants=(PERIOD,),
    trial=TRIAL,
    told_grace=ToldGrace(NOW + timedelta(days=2), NOW),
    pause=Pause(NOW, END_OF_TIME),
    cancellation=Cancellation(NOW + timedelta(days=1), NOW),
    renewal=Renewal(False, Said.USER, NOW, reason="too_expensive", reason_code=ReasonCode.PRICE_INCREASE),
    price_increase=PriceIncrease("declined"),
    plan_change=PlanChange("basic", None, NOW),
    failed_at=NOW,
    purchase=Purchase("app_store", "monthly", Ownership.FAMILY, 2, 999, "EUR"),
)
SEEN = tuple(
    BehaviouralSignal(Signal.INACTIVITY, ago(days=days), f"c{days}", "", strength)
    for days, strength in ((9, 0.9), (2, 0.25), (5, None))
)
TRUE_OF_THEM = [
    "subscription.id == 'main' && subscription.status == 'active' && subscription.plan == 'premium_monthly'",
    "subscription.entitled && subscription.live && subscription.payment_failing && !subscription.auto_renew",
    "subscription.trial_used && !subscription.pause_scheduled",
    "subscription.scheduled_plan == 'basic' && subscription.price_consent == 'declined'",
    "subscription.auto_renew_reason == 'too_expensive' && subscription.auto_renew_off_by == 'user'",
    "subscription.reason_code == 'price_increase'",
    "subscription.store == 'app_store' && subscription.product_id == 'monthly'",
    "subscription.ownership == 'family' && subscription.quantity == 2",
    "subscription.current_price == 999 && subscription.currency == 'EUR'",
    "timestamp(subscription.first_paid_at) + duration('5040h') == now",
    "timestamp(subscription.last_paid_at) == now && timestamp(subscription.period_start) == now",
    "timestamp(subscription.resume_at) > now && timestamp(subscription.since) < now",
    "timestamp(subscription.cancel_at) - now == duration('24h')",
    "timestamp(subscription.grace_until) > timestamp(subscription.period_end)",
    "subscription.days_since_first_paid == 210 && subscription.days_since_first_paid > 209.5",
    "subscription.days_in_status == 210 && subscription.days_since_last_paid == 0",
    "subscription.days_until_period_end == 1 && subscription.period_days == 1",
    "subscription.days_until_trial_end == -241 && timestamp(subscription.trial_ends_at) < now",
    "subscription.recent_payments == 8",
    "signals.inactivity.count == 3 && signals.inactivity.days_since == 2 && signals.inactivity.strength < 0.5",
    "timestamp(signals.inactivity.last_at) == now - duration('48h')",
    "signals.support_contact.count == 0 && signals.support_contact.last_at == null",
    "profile.country == 'SE' && profile.student == true && profile.locale == null",
    "profile.time_zone == 'Europe/Stockholm' && profile.attributes.level == null",
    "event.failure_reason == 'card_expired' && event.amount == 999 && event.reason_code == null",
    "event.store == 'stripe'",
    "subscriptions.filter(s, s.entitled && s.plan == 'premium_monthly').size() == 1",
    "subscriptions.exists(s, s.id == 'old' && s.status == 'expired')",
    "!has(features.tenure) && !('churn' in scores)",
    "now.getFullYear() == 2026",
]


@pytest.mark.parametrize("text", TRUE_OF_THEM)
def test_a_clause_can_ask_for_every_fact(text: str) -> None:
    they = user(
        FULL,
        Subscription("old", Status.EXPIRED),
        signals=SEEN,
        trial_used=True,
        country="SE",
        student=True,
        time_zone="Europe/Stockholm",
        event=FAILED,
    )
    assert clause(text).failure(activate({**facts_about(they), "profile.attributes.level": None})) is None


def test_the_facts_above_are_all_there_are() -> None:
    asked = " ".join(TRUE_OF_THEM)
    elsewhere = {name for name in VARIABLES if name.startswith("signals.") or name == "offers"}
    assert [name for name in VARIABLES.keys() - elsewhere if name not in asked] == []


HYPHENED = [
    "scores.churn-risk > 0.5",
    "scores['churn-risk'] > 0.5",
    "has(scores.churn-risk) && scores.churn-risk > 0.5",
    "features.shoe-size > 40 && 'scores.churn-risk' != ''",
    "features['shoe-size'] == 44.0",
    "scores.churn-0.2 < 0.5 && scores.churn-scores.churn == 0.0 && scores.churn - scores.churn-risk < 0.0",
]


@pytest.mark.parametrize("text", HYPHENED)
def test_a_name_with_a_hyphen_is_no_subtraction(text: str) -> None:
    facts = facts_about(user()) | {"scores": {"churn-risk": 0.7, "churn": 0.6}, "features.shoe-size": 44.0}
    assert compile_clause("clause", text).failure(activate(facts)) is None


def test_payments_whose_money_is_gone_do_not_count() -> None:
    words = [
        {},
        {"refund": Refund(NOW, gone=True)},
        {"refund": Refund(NOW, gone=False)},
        *({"dispute": Dispute(NOW, state)} for state in DisputeState),
    ]
    past = tuple(grant(ago(days=30 * month), **word) for month, word in enumerate(words, start=1))
    assert answer("subscription.recent_payments == 4", user(paying(grants=(), past=past))) is None


def test_part_of_a_day_is_rounded_down_on_both_sides_of_now() -> None:
    ends = [NOW + timedelta(hours=hours) for hours in (23, -1)]
    periods = [paying(current=grant(ago(days=30))._replace(end=end)) for end in ends]
    days = [facts_about(user(period))["subscription.days_until_period_end"] for period in periods]
    assert days == [0, -1]


def test_clauses_too_deep_to_be_one_program_are_asked_one_by_one() -> None:
    deep = "(" * 30 + "subscription.live" + ")" * 30
    with pytest.raises(InvalidClause):
        compiled(all_of("a", [compile_clause("c", deep)] * 16).test)
    assert failure(*[deep] * 16) is None
    assert failure(*[deep] * 15, "false") == "c15"


def test_what_is_asked_together_is_compiled_when_it_is_first_asked_and_once(monkeypatch: Any) -> None:
    texts: list[str] = []
    monkeypatch.setattr(
        "shared.decisioning.audiences.audience.compiled", lambda text: texts.append(text) or compiled(text)
    )
    several = (audience("subscription.live"), audience("false"))
    assert texts == []
    for _ in range(3):
        assert failures(several, facts_about(user())) == [None, "c0"]
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("clause", "fields"),
    [
        ("subscriptions.exists(s, s.entitled && s.plan == 'x')", {"entitled", "plan"}),
        ("subscriptions.filter(s, s . live).size() > 1", {"live"}),
        ("subscriptions.size() > 1", set()),
        ("subscriptions.exists(s, s['entitled'] == true)", set(OF_SUBSCRIPTION)),
        ("subscription.entitled", set()),
    ],
)
def test_of_a_list_of_subscriptions_only_what_is_asked_for_is_found_out(clause: str, fields: set[str]) -> None:
    assert all_of("a", [compile_clause("c", clause)]).fields == fields
