"""Milestones come once, however many a catalog has: the memory of what was decided is enough for them."""

from collections import Counter
from datetime import datetime
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from shared.contracts.topics import Topic
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.milestone_offsets import MAX_OFFSETS
from shared.domain.events import Event, TimePassed
from shared.domain.moments import MILESTONES, MomentKind
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record import user_record
from shared.record.user_record import UserRecord
from tests.support.histories import TERMS, USER, histories, made
from tests.support.lives import lives
from tests.support.story import cancelled, paid, paused, trial


def crowded(hours: int) -> Rules:
    """As many offsets of every milestone as a catalog may have, some hours apart, each with an offer."""
    offsets = [f"{hours * number}h" for number in range(1, MAX_OFFSETS + 1)]
    campaigns = {
        kind.replace(".", "-"): {
            "offer": "any",
            "placement": "page",
            "priority": 5,
            "moments": [f"{kind}@{offset}" for offset in offsets],
        }
        for kind in sorted(MILESTONES)
    }
    return Rules(
        compile_catalog(
            {
                "placements": {"page": {"channel": "in_app", "holds": "decision", "max_triggers": 8}},
                "offers": {"any": {"cms_ref": "any", "validity_hours": 2}},
                "campaigns": campaigns,
            }
        ),
        TERMS,
    )


HOURLY, SPREAD = crowded(1), crowded(4)


def issued(history: list[Event], rules: Rules, most_remembered: int) -> Counter[tuple[str, str]]:
    """The campaigns and causes of what is issued while the clock looks whenever it is due."""
    record, found = UserRecord(USER), Counter[tuple[str, str]]()

    def run(event: Event, now: datetime) -> UserRecord:
        done = process(record, event, now, rules)
        told = (one.body for one in done.messages if one.topic == Topic.UPSELL_TRIGGER)
        found.update((one["campaign_id"], one["cause"]) for one in told if one["kind"] == "issued")
        return done.record

    with patch.object(user_record, "MAX_FIRED", most_remembered):
        for event in sorted(history, key=lambda one: one.occurred_at):
            while record.next_due_at and record.next_due_at <= event.occurred_at:
                due = record.next_due_at
                record = run(made(1_000 + found.total(), due, Topic.LIFECYCLE_DUE, TimePassed()), due)
                assert record.next_due_at != due
            record = run(event, event.occurred_at)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rules", [HOURLY, SPREAD], ids=["hourly", "every four hours"])
@settings(max_examples=40)
@given(lives() | histories(only_main=True))
def test_nothing_comes_twice_and_nothing_is_passed_over(rules: Rules, history: list[Event]) -> None:
    found = issued(history, rules, user_record.MAX_FIRED)
    assert all(number == 1 for number in found.values())
    assert found == issued(history, rules, 100_000)


def test_a_crowd_of_milestones_does_come() -> None:
    """Else the test above would compare nothing with nothing."""
    told = [
        trial(0, ends=14),
        paid(14, end=44),
        paused(20, effective=20, resume=30),
        cancelled(40),
        trial(60, ends=70),
    ]
    found = Counter(campaign for campaign, _ in issued(told, HOURLY, user_record.MAX_FIRED).elements())
    come = MILESTONES - {MomentKind.PERIOD_ENDING}  # it is cancelled before
    assert found == {kind.replace(".", "-"): MAX_OFFSETS for kind in come}
