"""A catalog as merchandisers write it: every field, its type and its bounds."""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from shared.domain.moments import MILESTONES, MomentKind


def parse_selector(text: str) -> tuple[MomentKind, int | None]:
    """`lapsed@7` as kind and offset in days, `renewed` as kind alone. Raises ValueError naming what would do."""
    kind, at, days = text.partition("@")
    if kind not in list(MomentKind):
        raise ValueError(f"one of {', '.join(MomentKind)}")
    if not at:
        return MomentKind(kind), None
    if kind not in MILESTONES:
        raise ValueError(f"{kind} without days (only {', '.join(sorted(MILESTONES))} have them)")
    if not (days.isascii() and days.isdecimal()):
        raise ValueError(f"whole days after {kind}@")
    return MomentKind(kind), int(days)


def _selector(text: str) -> str:
    parse_selector(text)
    return text


def _milestone(name: str) -> str:
    if name not in MILESTONES:
        raise ValueError(f"one of {', '.join(sorted(MILESTONES))}")
    return name


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", text):
        raise ValueError("1 to 64 letters, digits, _ or -, of which the first is a letter or digit")
    return text


def _one_clause(entry: dict[str, str]) -> dict[str, str]:
    if len(entry) != 1:
        raise ValueError("one name with its clause")
    return entry


Id = Annotated[str, AfterValidator(_id)]
Milestone = Annotated[str, AfterValidator(_milestone)]
Selector = Annotated[str, AfterValidator(_selector)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A name in another system, never interpreted here."""
Plan = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Cel = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
NamedClause = Annotated[dict[Id, Cel], AfterValidator(_one_clause)]
Days = Annotated[int, Field(ge=1, le=3650)]
Hours = Annotated[int, Field(ge=1, le=8760)]


class Strict(BaseModel):
    """A part of a catalog: it never changes, nothing is coerced, and an unknown key is a typo."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Placement(Strict):
    """A place where one trigger at a time is shown."""

    channel: Id


class Offer(Strict):
    """What is offered; the words and pictures are the CMS's."""

    cms_ref: Reference
    validity_hours: Hours
    """How long a trigger with this offer may be shown."""
    plans_from: tuple[Plan, ...] = ()
    """Plans the offer is open to; empty: all."""
    plan_to: Plan | None = None
    price_ref: Reference | None = None


class Clauses(Strict):
    """An audience: named CEL clauses of which all, or any, must be true."""

    all: tuple[NamedClause, ...] = Field((), max_length=16)
    any: tuple[NamedClause, ...] = Field((), max_length=16)


class Cap(Strict):
    """At most `max` triggers of a campaign in the last `window_days`, or ever."""

    max: int = Field(ge=1, le=32)
    """Half of what the user's document remembers, so that a cap is always counted exactly."""
    window_days: Days | None = None


class CampaignTerms(Strict):
    """When, to whom and where an offer is made."""

    offer: Id
    placement: Id
    moments: tuple[Selector, ...] = Field(max_length=32)
    priority: int = Field(ge=0, le=100)
    """The higher wins."""
    audience: Id | None = None
    """None: everybody."""
    cap: Annotated[tuple[Cap, ...], BeforeValidator(_as_list), Field(max_length=4, strict=False)] = ()
    cool_down_hours: Hours | None = None
    expires_after_hours: Hours | None = None
    """Instead of the offer's `validity_hours`."""
    enabled: bool = True
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class CatalogDocument(Strict):
    """A whole catalog; maps are keyed by id."""

    kill_switch: bool = False
    """Nothing at all is offered while it is on."""
    placements: dict[Id, Placement] = Field({}, max_length=64)
    offers: dict[Id, Offer] = Field({}, max_length=500)
    audiences: dict[Id, Clauses] = Field({}, max_length=500)
    campaigns: dict[Id, CampaignTerms] = Field({}, max_length=500)
    milestones: dict[Milestone, Annotated[tuple[Days, ...], Field(max_length=8)]] = {}
    """Days before the trial ends, and days after the expiry, at which those moments come."""
