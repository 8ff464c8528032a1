"""docs/lifecycle.md agrees with the code: its tables and numbers are compared with it, and its example is run."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from infra.topology import ROOT
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain import conditions, machine
from shared.domain.account import MAX_SUBSCRIPTIONS
from shared.domain.conditions import is_still_true
from shared.domain.events import Event, PaymentOutcome, Signal
from shared.domain.history import RING_SIZE, History
from shared.domain.ledger import MAX_GRANTS, MAX_PAST
from shared.domain.milestones import milestones
from shared.domain.moments import MomentKind
from shared.domain.ring import RANKS, TRIAL
from shared.domain.subscription import ENTITLED, RANK, Status
from shared.domain.terms import Terms
from shared.domain.verdicts import MAX_WAITING

PAGE = (ROOT / "docs" / "lifecycle.md").read_text()
SENTENCES = " ".join(PAGE.split())
"""The page without its line breaks."""
TERMS = Terms()
OFFSETS = {
    MomentKind.TRIAL_ENDING: (timedelta(days=3), timedelta(days=1)),
    MomentKind.LAPSED: (timedelta(days=7),),
}

Row = list[str]


def table(heading: str) -> list[Row]:
    """The rows of the last table under a heading, header first, without backquotes."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if set(row[0]) != {"-"}]


def test_the_page_lists_every_status_and_whether_it_is_entitled() -> None:
    documented = {row[0]: row[2] for row in table("Statuses")[1:]}
    assert documented == {status.value: "yes" if status in ENTITLED else "no" for status in Status}


NUMBERED = [
    [str(number), condition.words, condition.status]
    for number, condition in enumerate(machine.CONDITIONS, start=1)
]


def test_the_page_has_as_many_conditions_as_the_machine() -> None:
    assert len(table("Conditions")[1:]) == len(NUMBERED)


@pytest.mark.parametrize("expected", NUMBERED, ids=lambda row: row[0])
def test_the_page_states_each_condition_as_the_machine_does(expected: Row) -> None:
    assert table("Conditions")[int(expected[0])] == expected


def test_the_page_orders_the_kinds_of_one_instant_as_the_ring_does() -> None:
    topics = {PaymentOutcome: "payment", Signal: "churn-signal", str: "trial-start"}
    ordered = [[str(place), str(kind), topics[type(kind)]] for place, kind in enumerate(RANKS, start=1)]
    assert TRIAL in RANKS
    assert table("Order at one instant")[1:] == ordered


@pytest.mark.parametrize(
    "sentence",
    [
        f"keeps the {MAX_GRANTS} payments that run or wait and the {MAX_PAST} that ended last",
        f"Of a user, {RING_SIZE} events are kept",
        f"the last {MAX_WAITING} are kept",
        f"At most {MAX_SUBSCRIPTIONS} subscriptions are kept",
        f"only within {TERMS.freshness.total_seconds() / 3600:.0f} hours",
    ],
)
def test_the_page_gives_the_bounds(sentence: str) -> None:
    assert sentence in SENTENCES


def test_the_page_gives_the_default_durations() -> None:
    documented = {row[0]: row[1] for row in table("What falls due")[1:]}
    assert f"else {TERMS.grace.days} days after the time ran out" in documented["the end of grace"]
    assert documented["the end of the hold"] == f"{TERMS.hold.days} days after the end of grace"
    pending = f"{TERMS.pending.total_seconds() / 3600:.0f} hours after it was started"
    assert documented["the end of a pending payment"].startswith(pending)


def test_the_page_names_every_moment_that_has_a_condition() -> None:
    assert [row[0] for row in table("Moments")[1:]] == list(MomentKind) == list(conditions.CONDITIONS)


def test_the_page_gives_the_order_of_statuses() -> None:
    best_first = ", ".join(f"`{status}`" for status in sorted(Status, key=RANK.__getitem__))
    assert f"in the order {best_first}" in SENTENCES


def _events() -> dict[str, Event]:
    lines = PAGE.split("```jsonl\n")[1].split("```")[0].splitlines()
    published = [json.loads(line) for line in lines]
    events = [parse_event(one["topic"], Delivery(json.dumps(one["data"]).encode(), {})) for one in published]
    return {event.key.event_id: event for event in events}


def test_the_example_shows_the_result_of_its_events() -> None:
    events, history, known = _events(), History(), set[str]()
    for on, event, status, entitled, kinds in table("An example")[1:]:
        now = datetime.fromisoformat(on).replace(tzinfo=UTC)
        moments = []
        if event:
            folded = history.add(events.pop(event.split(",")[0]), TERMS)
            history, moments = folded.history, [*folded.moments]
        account, brought = history.at(now, TERMS)
        reached = [milestone for milestone in milestones(account.best, OFFSETS) if milestone.at <= now]
        new = [moment for moment in (*moments, *brought, *reached) if moment.cause not in known]
        known |= {moment.cause for moment in new}
        assert (account.best.status, "yes" if account.best.entitled else "no") == (status, entitled), on
        assert ", ".join(moment.kind for moment in new) == kinds, on
    assert not events


def test_a_failure_that_comes_after_its_recovery_leaves_the_same_state_and_is_stale() -> None:
    events = _events()
    in_order, shuffled = History(), History()
    for name in ("e1", "e2", "e3", "e4"):
        in_order = in_order.add(events[name], TERMS).history
    for name in ("e1", "e2", "e4"):
        shuffled = shuffled.add(events[name], TERMS).history
    late = shuffled.add(events["e3"], TERMS)
    assert late.history == in_order
    (failed,) = late.moments
    assert failed.kind is MomentKind.PAYMENT_FAILED
    assert not is_still_true(late.history.head, failed.kind, failed.subscription_id, failed.grant)
