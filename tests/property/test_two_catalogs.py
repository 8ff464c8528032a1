"""Two instances that hold two catalogs, and see a user's events by turns: nothing flaps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.application.handle_event import Application
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event, Signal, TimePassed
from shared.domain.moments import MomentKind
from tests.support.catalogs import ALL_OFFSETS, LIBRARY, LIFE, SCORES
from tests.support.histories import TERMS, USER, histories, made
from tests.support.lives import lives
from tests.support.pipeline import Pipeline
from tests.support.story import auto_renew_off, auto_renew_on, cancelled, failed, paid, plan_changed, signal

MOMENTS = [one for one in LIFE if one is not MomentKind.CHURN_RISK_RAISED]
PRIORITIES = {"first": (50, 40), "second": (40, 50), "gone": (60, None), "risky": (10, None), "new": (None, 55)}
"""The priority of each campaign in the older and in the newer catalog; None where it is missing."""
OWN_REASONS = {"moment", "evicted"}
"""The reasons to revoke that are no matter of catalogs."""
some_history = histories(behaving=True) | lives()


def _catalog(which: int) -> Catalog:
    """The older (0) or the newer (1) catalog: the newer has no score, and ranks the campaigns otherwise."""
    campaigns: dict[str, dict[str, Any]] = {}
    for number, (name, priorities) in enumerate(PRIORITIES.items()):
        if (priority := priorities[which]) is not None:
            moments = [MomentKind.CHURN_RISK_RAISED] if name == "risky" else MOMENTS[number % 2 :: 2]
            placement = "side" if name == "risky" else "banner"
            campaigns[name] = {"offer": "any", "placement": placement, "moments": moments, "priority": priority}
    sections = {
        "placements": {name: {"channel": "in_app"} for name in ("banner", "side")},
        "offers": {"any": {"cms_ref": "offers/any", "validity_hours": 24 * 20}},
        "milestones": ALL_OFFSETS,
        "scores": SCORES if which == 0 else {},
        "campaigns": campaigns,
    }
    return replace(compile_catalog(sections, LIBRARY), number=which + 1)


OLDER, NEWER = _catalog(0), _catalog(1)


class Alternating(Pipeline):
    """A pipeline whose deliveries go to the instance with the older or with the newer catalog."""

    ticks = 0

    def to(self, catalog: Catalog) -> "Alternating":
        self.catalog = catalog
        self.application = Application(
            PackedRecords(self.store, TERMS), self.bus, FixedCatalogs(catalog), self.clock, TERMS
        )
        return self

    def look(self, catalog: Catalog) -> list[str]:
        """Have an instance process the user at this instant; the kinds or reasons of what it says of triggers."""
        self.ticks += 1
        before = len(self.bus.taken)
        self.to(catalog).deliver(made(10_000 + self.ticks, self.clock.now(), Topic.LIFECYCLE_DUE, TimePassed()))
        return self.said(before)

    def said(self, since: int) -> list[str]:
        told = (one.body for one in self.bus.taken[since:] if one.topic == Topic.UPSELL_TRIGGER)
        return [body["revoke_reason"] or "issued" for body in told]


def check(history: Sequence[Event], turns: Sequence[Catalog]) -> None:
    pipeline = Alternating(OLDER, USER)
    for event, catalog in zip(sorted(history, key=lambda one: one.occurred_at), turns, strict=True):
        pipeline.to(catalog).pass_time(max(event.occurred_at - pipeline.clock.now(), timedelta(0)))
        since, newest = len(pipeline.bus.taken), pipeline.record.catalog_number
        pipeline.deliver(event)
        if catalog.number < newest:
            assert set(pipeline.said(since)) <= OWN_REASONS | {"issued"}
        pipeline.look(NEWER)
        commits = pipeline.store.commits
        assert [pipeline.look(one) for one in (OLDER, NEWER, OLDER, NEWER)] == [[]] * 4
        assert pipeline.store.commits == commits
    pipeline.check_published()
    pipeline.close()


@pytest.mark.slow
@given(some_history, st.data())
def test_by_whichever_instance_events_are_seen_nothing_is_taken_back_and_offered_again(
    history: list[Event], data: st.DataObject
) -> None:
    check(history, [data.draw(st.sampled_from([OLDER, NEWER])) for _ in history])


@pytest.mark.parametrize("turns", [(OLDER, NEWER), (NEWER, OLDER), (OLDER, OLDER), (NEWER, NEWER)])
def test_a_life_seen_by_turns_is_silent_in_between(turns: tuple[Catalog, Catalog]) -> None:
    life = [
        *(paid(0), plan_changed(1, "premium"), auto_renew_off(2), auto_renew_on(3), failed(30)),
        *(paid(31, start=30), auto_renew_off(32), cancelled(40), paid(41)),
    ]
    check(life, [turns[number % 2] for number in range(len(life))])


@pytest.mark.parametrize(
    ("event", "campaign_id", "reason"),
    [(paid(0), "gone", "state"), (signal(Signal.INACTIVITY, 1), "risky", "score")],
)
def test_what_the_newer_catalog_took_back_the_older_one_does_not_miss(
    event: Event, campaign_id: str, reason: str
) -> None:
    """The trigger of a campaign or of a score that is gone is revoked once, by the instance that knows."""
    pipeline = Alternating(OLDER, USER)
    for one in dict.fromkeys((paid(0), event)):
        pipeline.clock.move_to(one.occurred_at)
        pipeline.deliver(one)
    assert campaign_id in [one.campaign_id for one in pipeline.record.triggers if not one.revoked]
    assert reason in pipeline.look(NEWER)
    for _ in range(3):
        assert pipeline.look(OLDER) == pipeline.look(NEWER) == []
    pipeline.close()
