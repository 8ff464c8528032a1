"""Every kind of event in every status: the result is the committed table, and laws hold in all of its cells."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.domain.deadlines import next_deadline
from shared.domain.events import (
    BEHAVIOURAL,
    Event,
    Fact,
    PaymentOutcome,
    PaymentReported,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.settling import settle
from shared.domain.subscription import Status, Subscription
from tests.support.story import (
    MONTH,
    TERMS,
    Story,
    after,
    auto_renew_off,
    awaited,
    cancelled,
    failed,
    paid,
    paused,
    refunded,
    report,
    signal,
    trial,
)

TABLE = Path(__file__).with_name("status_matrix.md")
P = PaymentOutcome
S = Signal


class Situation(NamedTuple):
    """A story that leads to a status, and the day on which the event comes."""

    status: Status
    on: float
    events: tuple[Event, ...] = ()
    starts: float = 0
    ends: float = MONTH
    """The days of the period or trial that runs, ran last or is awaited; a payment for it has the id `p1`."""

    @property
    def story(self) -> Story:
        return after(*self.events)


FIRST, PAID = awaited(0, payment_id="p1"), paid(0, payment_id="p1")
TRIAL, UNPAID_TRIAL = trial(0), failed(14)
SITUATIONS: dict[str, dict[str, Situation]] = {
    "Before the first access": {
        "none": Situation(Status.NONE, 0),
        "pending": Situation(Status.PENDING, 1, (FIRST,)),
        "pending, paid from day 10": Situation(Status.PENDING, 5, (paid(0, 10, payment_id="p1"),), 10, 40),
        "grace, a first debit settles": Situation(Status.GRACE, 5, (awaited(0, grace_until=10, payment_id="p1"),)),
    },
    "While time runs": {
        "trialing": Situation(Status.TRIALING, 5, (TRIAL,), 0, 14),
        "trialing, does not renew": Situation(Status.TRIALING, 5, (trial(0, auto_renew=False),), 0, 14),
        "active": Situation(Status.ACTIVE, 10, (PAID,)),
        "active, auto-renew off": Situation(Status.ACTIVE, 10, (PAID, auto_renew_off(3))),
        "active, a trial waits": Situation(Status.ACTIVE, 10, (PAID, trial(5, ends=45))),
        "active, paid ahead": Situation(Status.ACTIVE, 10, (paid(0), paid(5, 30, payment_id="p1")), 30, 60),
        "active, refunded before": Situation(
            Status.ACTIVE, 10, (paid(0, 0, 365), refunded(5, 0), paid(6, payment_id="p1")), 6, 36
        ),
        "active, upgraded": Situation(
            Status.ACTIVE, 10, (paid(0, 0, 365), paid(5, plan="premium", payment_id="p1")), 5, 35
        ),
    },
    "When time ran out, or a pause runs": {
        "grace": Situation(Status.GRACE, 33, (PAID, failed(30))),
        "grace, auto-renew off in it": Situation(Status.GRACE, 33, (PAID, failed(30), auto_renew_off(32))),
        "grace after a trial": Situation(Status.GRACE, 16, (TRIAL, UNPAID_TRIAL), 0, 14),
        "on_hold": Situation(Status.ON_HOLD, 45, (PAID, failed(30))),
        "on_hold after a trial": Situation(Status.ON_HOLD, 30, (TRIAL, UNPAID_TRIAL), 0, 14),
        "paused in paid time": Situation(
            Status.PAUSED, 15, (paid(0, 0, 60, payment_id="p1"), paused(9, effective=10)), 0, 60
        ),
        "paused after the period": Situation(Status.PAUSED, 35, (PAID, paused(5))),
    },
    "When it is over": {
        "expired": Situation(Status.EXPIRED, 40, (PAID, auto_renew_off(5))),
        "expired by cancellation": Situation(Status.EXPIRED, 15, (PAID, cancelled(10))),
        "expired after a trial": Situation(Status.EXPIRED, 20, (trial(0, auto_renew=False),), 0, 14),
        "revoked by a refund": Situation(Status.REVOKED, 10, (PAID, refunded(5, 0, payment_id="p1"))),
        "revoked by a dispute": Situation(Status.REVOKED, 10, (PAID, report(P.DISPUTE_LOST, 5, payment_id="p1"))),
    },
}
"""Each status by one or several stories, in groups, each of which is one table."""


Make = Callable[[Situation], Event]
MONEY = {"plan": "basic", "amount": 999, "currency": "EUR"}


def _of(outcome: PaymentOutcome, starts: Callable[[Situation], float], **given: Any) -> Make:
    """A report on a payment for a month from a day of the situation."""
    return lambda of: report(
        outcome, of.on, **MONEY | {"period_start": starts(of), "period_end": starts(of) + MONTH} | given
    )


def _known(outcome: PaymentOutcome, **given: Any) -> Make:
    """A report on the payment that the situation knows as `p1`."""
    return lambda of: report(
        outcome, of.on, **MONEY | {"payment_id": "p1", "period_start": of.starts, "period_end": of.ends} | given
    )


def _closing_invoice(of: Situation, **given: Any) -> Event:
    """A payment of nothing for the running period, closed at the event."""
    period = {"period_start": of.starts, "period_end": max(of.on, of.starts + 1)}
    return report(P.SUCCEEDED, of.on, plan="basic", amount=0, currency="EUR", **period, **given)


def _signal(kind: Signal, ahead: float | None = None, resume: float | None = None, **given: Any) -> Make:
    """A signal, with `effective_at` and `resume_at` so many days ahead of it."""
    return lambda of: signal(
        kind,
        of.on,
        effective=None if ahead is None else of.on + ahead,
        resume=None if resume is None else of.on + resume,
        **given,
    )


def _now(of: Situation) -> float:
    return of.on


def _next(of: Situation) -> float:
    return of.ends


def _gone_by(of: Situation) -> float:
    return of.on - 3 * MONTH


def _soon(of: Situation) -> float:
    return of.on + 3


EVENTS: dict[str, Make] = {
    "trial of 14 days": lambda of: trial(of.on, of.on + 14),
    "trial that does not renew": lambda of: trial(of.on, of.on + 14, auto_renew=False),
    "trial of another plan": lambda of: trial(of.on, of.on + 14, plan="premium"),
    "pending": lambda of: report(P.PENDING, of.on, plan="basic"),
    "pending, grace for 5 days": lambda of: report(P.PENDING, of.on, plan="basic", grace_until=of.on + 5),
    "pending, another plan": lambda of: report(P.PENDING, of.on, plan="premium"),
    "succeeded, from now": _of(P.SUCCEEDED, _now),
    "succeeded, next period": _of(P.SUCCEEDED, _next),
    "succeeded, from 3 days on": _of(P.SUCCEEDED, _soon),
    "succeeded, time gone by": _of(P.SUCCEEDED, _gone_by),
    "succeeded, another plan from now": _of(P.SUCCEEDED, _now, plan="premium"),
    "succeeded, another plan next": _of(P.SUCCEEDED, _next, plan="premium"),
    "succeeded, known or awaited period": _known(P.SUCCEEDED),
    "succeeded, known, a day longer": lambda of: _known(P.SUCCEEDED, period_end=of.ends + 1)(of),
    "succeeded, known, a day shorter": lambda of: _known(P.SUCCEEDED, period_end=of.ends - 1)(of),
    "succeeded, same period once more": _known(P.SUCCEEDED, payment_id="p2"),
    "succeeded, 0, from now": _of(P.SUCCEEDED, _now, amount=0),
    "succeeded, 0, period closed now": _closing_invoice,
    "succeeded, 0, period closed now, with an id": lambda of: _closing_invoice(of, payment_id="p2"),
    "succeeded, does not renew": _of(P.SUCCEEDED, _now, auto_renew=False),
    "succeeded, explicitly renews": _of(P.SUCCEEDED, _now, auto_renew=True),
    "failed": lambda of: report(P.FAILED, of.on),
    "failed for good": lambda of: report(P.FAILED, of.on, final=True),
    "failed, next period": _of(P.FAILED, _next),
    "failed for good, next period": _of(P.FAILED, _next, final=True),
    "failed, grace for 3 days": lambda of: _of(P.FAILED, _next, grace_until=of.on + 3)(of),
    "failed, grace none": lambda of: _of(P.FAILED, _next, grace_until=of.on)(of),
    "failed, known or awaited period": _known(P.FAILED),
    "failed for good, known or awaited period": _known(P.FAILED, final=True),
    "failed for good, time gone by": _of(P.FAILED, _gone_by, final=True),
    "failed, another plan": _of(P.FAILED, _now, plan="premium"),
    "failed for good, another plan": _of(P.FAILED, _now, plan="premium", final=True),
    "extended by 10 days": lambda of: report(P.EXTENDED, of.on, payment_id="p1", period_end=of.ends + 10),
    "extended until 10 days from now": lambda of: report(P.EXTENDED, of.on, period_end=of.on + 10),
    "extended to an earlier end": lambda of: report(P.EXTENDED, of.on, payment_id="p1", period_end=of.ends - 1),
    "refunded": _known(P.REFUNDED),
    "refunded, by id alone": lambda of: report(P.REFUNDED, of.on, payment_id="p1"),
    "refunded in part": _known(P.REFUNDED, partial=True),
    "refunded, keeps access": _known(P.REFUNDED, keeps_access=True),
    "refunded, unknown payment": _of(P.REFUNDED, _gone_by, payment_id="p9"),
    "refund reversed": _known(P.REFUND_REVERSED),
    "disputed": _known(P.DISPUTED),
    "dispute lost": _known(P.DISPUTE_LOST),
    "dispute won": _known(P.DISPUTE_WON),
    "auto_renew_off": _signal(S.AUTO_RENEW_OFF),
    "auto_renew_on": _signal(S.AUTO_RENEW_ON),
    "cancelled": _signal(S.CANCELLED),
    "cancelled in 3 days": _signal(S.CANCELLED, ahead=3),
    "pause_scheduled": _signal(S.PAUSE_SCHEDULED),
    "pause_scheduled now": _signal(S.PAUSE_SCHEDULED, ahead=0),
    "pause_scheduled in 3 days": _signal(S.PAUSE_SCHEDULED, ahead=3),
    "pause_scheduled now, for 5 days": _signal(S.PAUSE_SCHEDULED, ahead=0, resume=5),
    "resumed": _signal(S.RESUMED),
    "plan_changed": _signal(S.PLAN_CHANGED, to_plan="premium"),
    "plan_changed in 3 days": _signal(S.PLAN_CHANGED, ahead=3, to_plan="premium"),
    "plan_change_scheduled": _signal(S.PLAN_CHANGE_SCHEDULED, to_plan="premium"),
    "plan_change_scheduled in 3 days": _signal(S.PLAN_CHANGE_SCHEDULED, ahead=3, to_plan="premium"),
    "downgrade_scheduled": _signal(S.DOWNGRADE_SCHEDULED, to_plan="premium"),
    "downgrade_scheduled in 3 days": _signal(S.DOWNGRADE_SCHEDULED, ahead=3, to_plan="premium"),
    "plan_change_undone": _signal(S.PLAN_CHANGE_UNDONE),
    "price_increase_pending": _signal(S.PRICE_INCREASE_PENDING, price=1299, currency="EUR"),
    "price_increase_declined": _signal(S.PRICE_INCREASE_DECLINED),
    "price_increase_accepted": _signal(S.PRICE_INCREASE_ACCEPTED),
}
"""Each kind of event that bears on a subscription. `now` is its day; the plan is `basic` or another."""
NOTHING = "nothing"
"""The row of a situation without an event."""


INTRODUCTION = """# What each event does in each status

`test_status_matrix.py` makes these tables and compares them with this file. A row is an event, a column a story
that led to a status. A cell is the status at the event and, after `>`, the next one that time alone brings. `+`
marks the plan `premium`; without it the plan is `basic`, or none is known."""


class Cell(NamedTuple):
    """A situation and an event in it, with the states that follow at the event and by time alone."""

    situation: str
    event: str
    fact: Fact | None
    before: Subscription
    course: tuple[Subscription, ...]

    @property
    def name(self) -> str:
        return f"{self.event}, in: {self.situation}"

    @property
    def text(self) -> str:
        """The state at the event, and the next one that differs, if there is one."""
        now, *later = [_shown(sub) for sub in self.course]
        return next((f"{now} > {then}" for then in later if then != now), now)


def _shown(sub: Subscription) -> str:
    return f"{sub.status}+" if sub.plan == "premium" else f"{sub.status}"


def _course(story: Story, on: float) -> Iterator[Subscription]:
    """The subscription on a day, and after each deadline that follows."""
    sub = story.sub(on)
    yield sub
    while at := next_deadline(sub, TERMS):
        sub = settle(sub, at, TERMS)
        yield sub


def _cell(name: str, of: Situation, event_name: str) -> Cell:
    event = EVENTS[event_name](of) if event_name in EVENTS else None
    story = of.story.then(event) if event else of.story
    fact = event.fact if event else None
    return Cell(name, event_name, fact, of.story.sub(of.on), tuple(_course(story, of.on)))


def _situations() -> list[tuple[str, Situation]]:
    return [pair for group in SITUATIONS.values() for pair in group.items()]


@cache
def _cells() -> dict[tuple[str, str], Cell]:
    pairs = product(_situations(), (NOTHING, *EVENTS))
    return {(name, event): _cell(name, of, event) for (name, of), event in pairs}


def _all() -> list[Cell]:
    return [cell for cell in _cells().values() if cell.event != NOTHING]


def _rendered() -> str:
    """The tables as Markdown."""
    sections = [INTRODUCTION]
    for heading, group in SITUATIONS.items():
        lines = [f"| event | {' | '.join(group)} |", f"| --- |{' --- |' * len(group)}"]
        for event in (NOTHING, *EVENTS):
            texts = [_cells()[name, event].text for name in group]
            lines.append(f"| {event} | {' | '.join(texts)} |")
        sections += [f"## {heading}", "\n".join(lines)]
    return "\n\n".join(sections) + "\n"


def test_the_matrix_is_the_committed_one() -> None:
    rendered = _rendered()
    if not TABLE.exists() or rendered != TABLE.read_text():
        pytest.fail(f"{TABLE.name} would have to be:\n{rendered}", pytrace=False)


def test_each_situation_has_its_status_and_all_statuses_are_there() -> None:
    reached = {name: of.story.status(of.on) for name, of in _situations()}
    assert reached == {name: of.status for name, of in _situations()}
    assert set(reached.values()) == set(Status)


def test_every_outcome_and_every_signal_about_a_subscription_is_there() -> None:
    facts = [cell.fact for cell in _all()]
    assert {fact.outcome for fact in facts if isinstance(fact, PaymentReported)} == set(PaymentOutcome)
    assert {fact.kind for fact in facts if isinstance(fact, SignalSeen)} == set(Signal) - BEHAVIOURAL
    assert any(isinstance(fact, TrialStarted) for fact in facts)


def _is(fact: Fact | None, *kinds: PaymentOutcome | Signal) -> bool:
    kind = fact.outcome if isinstance(fact, PaymentReported) else getattr(fact, "kind", None)
    return kind in kinds


def _covered_until(cell: Cell) -> datetime | None:
    """The latest end of what covers the event; a trial does not count where a later one takes its place."""
    at = cell.course[0].as_of
    covering = [grant for grant in cell.before.all_grants if grant.stands and grant.covers(at)]
    replaced = isinstance(cell.fact, TrialStarted)
    return max((grant.until for grant in covering if not (replaced and grant.is_trial)), default=None)


def _loses_covered_access(cell: Cell) -> bool:
    """True if access that a grant covers before the event ends before the grant does."""
    until = _covered_until(cell)
    if until is None or not cell.before.entitled:
        return False
    return any(sub.as_of < until and not sub.entitled for sub in cell.course)


def test_no_failure_takes_access_that_is_covered() -> None:
    failures = [cell for cell in _all() if _is(cell.fact, P.FAILED)]
    assert any(_covered_until(cell) for cell in failures)
    assert [cell.name for cell in failures if _loses_covered_access(cell)] == []


def test_only_a_pause_a_cancellation_a_refund_and_a_lost_dispute_take_covered_access() -> None:
    takers = (S.PAUSE_SCHEDULED, S.CANCELLED, P.REFUNDED, P.DISPUTE_LOST)
    losses = [cell for cell in _all() if _loses_covered_access(cell)]
    assert [cell.name for cell in losses if not _is(cell.fact, *takers)] == []
    assert [kind for kind in takers if not any(_is(cell.fact, kind) for cell in losses)] == []


def test_there_is_access_only_by_a_standing_grant_or_in_grace() -> None:
    def by_right(sub: Subscription) -> bool:
        covered = any(grant.stands and grant.covers(sub.as_of) for grant in sub.all_grants)
        return covered or sub.status is Status.GRACE

    assert [cell.name for cell in _all() for sub in cell.course if sub.entitled and not by_right(sub)] == []


def test_money_for_time_that_runs_gives_access_in_every_status() -> None:
    cells = [cell for cell in _all() if cell.event in {"succeeded, from now", "succeeded, another plan from now"}]
    assert {cell.before.status for cell in cells} == set(Status)
    assert [cell.name for cell in cells if cell.course[0].status is not Status.ACTIVE] == []


def test_a_cancellation_at_once_leaves_no_access_and_nothing_to_come() -> None:
    cells = [cell for cell in _all() if cell.event == "cancelled" and cell.before.status is not Status.NONE]
    assert [(cell.name, cell.text) for cell in cells if cell.text.rstrip("+") != "expired"] == []


def test_time_alone_leads_to_an_end_or_to_a_pause_without_one() -> None:
    ends = {Status.NONE, Status.EXPIRED, Status.PAUSED}
    assert [cell.name for cell in _all() if cell.course[-1].status not in ends] == []


def test_time_alone_revokes_only_where_withdrawn_time_begins() -> None:
    def was_taken(sub: Subscription) -> bool:
        return any(not grant.stands and grant.start == sub.as_of for grant in sub.grants)

    steps = [(cell, *step) for cell in _all() for step in pairwise(cell.course)]
    revoked = [(cell, now) for cell, was, now in steps if _has_time(was) and now.status is Status.REVOKED]
    assert [cell.name for cell, now in revoked if not was_taken(now)] == []


def _has_time(sub: Subscription) -> bool:
    return sub.status in {Status.ACTIVE, Status.TRIALING}


def test_after_revoked_comes_no_grace_unless_money_comes() -> None:
    steps = [(cell, *step) for cell in _all() for step in pairwise(cell.course)]
    after_revoked = [(cell, now) for cell, was, now in steps if was.status is Status.REVOKED]
    assert [cell.name for cell, now in after_revoked if now.status is Status.GRACE] == []


def test_nothing_changes_any_more_when_it_is_over() -> None:
    def shown(sub: Subscription) -> tuple[str, str]:
        return _shown(sub), sub.granted_by

    steps = [(cell, *step) for cell in _all() for step in pairwise(cell.course)]
    over = [(cell, was, now) for cell, was, now in steps if was.status is Status.EXPIRED]
    assert [cell.name for cell, was, now in over if shown(was) != shown(now)] == []


def test_what_does_not_renew_turns_no_auto_renew_on() -> None:
    names = {"active, auto-renew off", "grace, auto-renew off in it"}
    events = {"trial that does not renew", "succeeded, does not renew"}
    cells = [cell for cell in _all() if cell.situation in names and cell.event in events]
    assert [cell.name for cell in cells if any(sub.auto_renew for sub in cell.course)] == []


FACTS_ALONE = (
    "succeeded, time gone by",
    "refunded in part",
    "refunded, keeps access",
    "refunded, unknown payment",
    "disputed",
    "extended to an earlier end",
    "plan_change_undone",
    "price_increase_pending",
    "price_increase_declined",
    "price_increase_accepted",
)


@pytest.mark.parametrize("event", FACTS_ALONE)
def test_a_fact_alone_changes_neither_status_nor_plan_of_what_is_known(event: str) -> None:
    cells = [cell for cell in _all() if cell.event == event and cell.before.status is not Status.NONE]
    expected = {cell.situation: _cells()[cell.situation, NOTHING].text for cell in cells}
    assert {cell.situation: cell.text for cell in cells} == expected


@pytest.mark.parametrize("kind", sorted(BEHAVIOURAL))
def test_no_behavioural_signal_changes_a_status(kind: Signal) -> None:
    for name, of in _situations():
        states = [_shown(sub) for sub in _course(of.story.then(signal(kind, of.on)), of.on)]
        assert states == [_shown(sub) for sub in _cells()[name, NOTHING].course], name


def test_every_cell_is_the_same_in_another_order_of_arrival() -> None:
    for (name, of), (event_name, event) in product(_situations(), EVENTS.items()):
        events = [*of.events, event(of)]
        assert after(*reversed(events)).history == after(*events).history, (name, event_name)
