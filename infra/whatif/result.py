"""What a what-if study says: how much is offered before and after, and what is not the same, by campaign."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """The same count in both replays."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why so many triggers are not the same."""

    reason: str
    """Of a trigger that appears, what the catalog before says of it; that vanishes, what the one after does; that
    changes, what is different."""
    detail: str | None
    triggers: int


@dataclass(frozen=True, slots=True)
class Example:
    """One trigger that is not the same."""

    trigger_id: str
    user_id: str
    decided_at: str
    moment: str
    reason: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """The triggers of one campaign that appear, that vanish, or that change."""

    triggers: int = 0
    users: int = 0
    causes: tuple[Cause, ...] = ()
    """What most have in common first."""
    examples: tuple[Example, ...] = ()
    """The oldest."""


@dataclass(frozen=True, slots=True)
class CampaignEffect:
    """What becomes of one campaign's triggers."""

    issued: BeforeAfter
    users: int
    """How many users are concerned by what appears, vanishes or changes."""
    appear: Effect
    vanish: Effect
    change: Effect

    @property
    def size(self) -> int:
        """How many triggers are not the same."""
        return self.appear.triggers + self.vanish.triggers + self.change.triggers


@dataclass(frozen=True, slots=True)
class PlacementEffect:
    """What becomes of one placement."""

    issued: BeforeAfter
    users: BeforeAfter


@dataclass(frozen=True, slots=True)
class WhatIf:
    """All that is to be said of a history decided by two catalogs."""

    issued: BeforeAfter
    users: BeforeAfter
    """How many users are offered anything."""
    revoked: BeforeAfter
    dead_lettered: BeforeAfter
    """Feedback on a trigger that a catalog does not issue is dead-lettered under it."""
    placements: Mapping[str, PlacementEffect]
    campaigns: Mapping[str, CampaignEffect]
    """Those in which most is not the same first."""
