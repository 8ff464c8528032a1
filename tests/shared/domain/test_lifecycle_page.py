"""docs/lifecycle.md agrees with the code: its tables are compared with it, and its example is run."""

import json
from datetime import UTC, datetime

from infra.topology import ROOT
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.conditions import CONDITIONS, is_still_true
from shared.domain.events import Event
from shared.domain.history import History
from shared.domain.machine import TABLE, Happening
from shared.domain.milestones import milestones
from shared.domain.moments import MomentKind
from shared.domain.subscription import ENTITLED, Status
from shared.domain.terms import Terms

PAGE = (ROOT / "docs" / "lifecycle.md").read_text()
TERMS = Terms()
OFFSETS = {MomentKind.TRIAL_ENDING: (3, 1), MomentKind.LAPSED: (7,)}

Row = list[str]


def table(heading: str) -> list[Row]:
    """The rows of the last table under a heading, header first, without backquotes."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if set(row[0]) != {"-"}]


def test_the_page_moves_statuses_as_the_machine_does() -> None:
    (_, *statuses), *rows = table("Status transitions")
    documented = {
        status: {row[0]: cell for row in rows if (cell := row[column])}
        for column, status in enumerate(statuses, start=1)
    }
    assert documented == {status: dict(moves) for status, moves in TABLE.items()}


def test_the_page_names_every_happening_once() -> None:
    named = [row[0] for row in table("Status transitions")[1:]]
    assert sorted(named) == sorted(Happening)


def test_the_page_lists_the_entitled_statuses() -> None:
    documented = {row[0]: row[2] for row in table("Statuses")[1:]}
    assert documented == {status.value: "yes" if status in ENTITLED else "no" for status in Status}


def test_the_page_names_every_moment_that_has_a_condition() -> None:
    assert [row[0] for row in table("Moments")[1:]] == list(MomentKind) == list(CONDITIONS)


def test_the_page_gives_the_default_durations() -> None:
    documented = {row[0]: row[1] for row in table("Deadlines")[1:]}
    assert documented["pending"].startswith(f"{TERMS.pending.total_seconds() / 3600:.0f} hours")
    assert documented["grace"].endswith(f"{TERMS.grace.days} days after it began")
    assert documented["on_hold"].startswith(f"{TERMS.hold.days} days")
    assert f"within {TERMS.freshness.total_seconds() / 3600:.0f} hours" in PAGE


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
        assert (account.best.shown_status, "yes" if account.best.entitled else "no") == (status, entitled), on
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
