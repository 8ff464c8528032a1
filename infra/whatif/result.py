"""The result of a what-if study: triggers issued with each catalog, and the differences by campaign."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from shared.queries.user_view import to_json


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """One count, from both replays."""

    before: int
    after: int

    def __add__(self, other: "BeforeAfter") -> "BeforeAfter":
        return BeforeAfter(self.before + other.before, self.after + other.after)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for differing triggers, and the number of triggers it applies to."""

    reason: str
    """The outcome of the trigger's candidate in the other replay; if the trigger changes, the fields that differ.

    For a trigger that appears, the other replay is the one with the catalog before; for one that vanishes, the one
    with the catalog after.
    """
    detail: str | None
    triggers: int


@dataclass(frozen=True, slots=True)
class Example:
    """One trigger that differs between the replays."""

    trigger_id: str
    user_id: str
    decided_at: str
    moment: str
    reason: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """The triggers of one campaign that appear, vanish or change."""

    triggers: int = 0
    users: int = 0
    causes: tuple[Cause, ...] = ()
    """Most frequent cause first."""
    examples: tuple[Example, ...] = ()
    """The oldest of the triggers, in order."""


@dataclass(frozen=True, slots=True)
class CampaignEffect:
    """The differences of one campaign."""

    issued: BeforeAfter
    users: int
    """Users with at least one trigger that appears, vanishes or changes."""
    appear: Effect
    vanish: Effect
    change: Effect

    @property
    def size(self) -> int:
        """The number of triggers that differ."""
        return self.appear.triggers + self.vanish.triggers + self.change.triggers


@dataclass(frozen=True, slots=True)
class PlacementEffect:
    """The triggers issued in one placement, and the users who received them."""

    issued: BeforeAfter
    users: BeforeAfter


Split = Mapping[str, float]
"""The share of all users in each variant; the others are outside the experiment."""


@dataclass(frozen=True, slots=True)
class ExperimentStudy:
    """The users (or subscriptions, if they are the unit) of one experiment that runs in either catalog."""

    changed: bool
    """True if a term of the experiment differs between the catalogs."""
    assigned: int
    """Users with a variant at the switch. The catalog after does one of these with them:"""
    keep: int
    """they keep their variant;"""
    move: int
    """they are assigned to another one;"""
    leave: int
    """they leave the experiment, and get the campaign's own offer;"""
    anew: int
    """they are assigned anew, by a policy for each cause, or by another unit."""
    new_before: Mapping[str, int]
    """Users whom the catalog before assigns after the switch for the first time, by variant."""
    new_after: Mapping[str, int]
    """The same of the catalog after."""
    split_before: Split | None
    """The hash's split of new users by the catalog before; None if a policy picks. Empty if it does not run."""
    split_after: Split | None
    """The same of the catalog after."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The comparison of one history under two catalogs."""

    issued: BeforeAfter
    users: BeforeAfter
    """Users with at least one trigger."""
    revoked: BeforeAfter
    dead_lettered: BeforeAfter
    """Feedback on a trigger is dead-lettered in the replay whose catalog does not issue that trigger."""
    placements: Mapping[str, PlacementEffect]
    campaigns: Mapping[str, CampaignEffect]
    """Campaigns by id, those with the most differing triggers first."""
    switch_at: datetime | None = None
    """The instant (UTC) until which both replays have the catalog before. None: each has its own throughout."""
    experiments: Mapping[str, ExperimentStudy] = field(default_factory=dict)
    """The experiments that run in either catalog."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """The campaigns of the catalog after that the history cannot show, or not in full, each with the reason."""


Sides = Mapping[str, Mapping[str, Any]]
"""The file and the version of both catalogs, by `before` and `after`."""


def facts_of(sides: Sides, events_read: int, now: datetime, study: WhatIf) -> dict[str, Any]:
    """The study as plain JSON, with its catalogs, the number of events, and the end of the clock (UTC)."""
    facts: dict[str, Any] = to_json({**sides, "events_read": events_read, "now": now, **asdict(study)})
    return facts
