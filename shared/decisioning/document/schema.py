"""A catalog as merchandisers write it: every field, its type and its bounds."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Discriminator, Field, Tag

from shared.decisioning.document.vocabulary import (
    MAX_CAP,
    CountedEvent,
    Days,
    FeedbackEvent,
    Floor,
    Hours,
    Id,
    Metric,
    Milestone,
    NamedClause,
    Plan,
    RaisedMoment,
    Reference,
    Salt,
    Scope,
    Selector,
    Share,
    Strict,
    TimeOfDay,
    TimeZone,
)
from shared.domain.tallies import ISSUED


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _rest_after_issue(value: object) -> object:
    return {ISSUED: value} if isinstance(value, int) else value


def _suppressions(value: object) -> object:
    """A word alone is the kind of feedback, for ever."""
    entries = value if isinstance(value, list) else [value]
    return [{"event": entry} if isinstance(entry, str) else entry for entry in entries]


class Placement(Strict):
    """A place where triggers are shown."""

    channel: Id
    max_triggers: int = Field(1, ge=1, le=8)
    """How many campaigns may win it in one decision."""
    fallback: Id | None = None
    """The offer for users to whom no campaign of the placement is open."""


class Offer(Strict):
    """What is offered; the words and pictures are the CMS's."""

    cms_ref: Reference
    validity_hours: Hours
    """How long a trigger with this offer may be shown."""
    plans_from: tuple[Plan, ...] = ()
    """Plans the offer is open to; empty: all."""
    plan_to: Plan | None = None
    price_ref: Reference | None = None
    status: Literal["draft", "approved", "archived"] = "approved"
    """Only an approved one is offered."""


class Clauses(Strict):
    """An audience: named CEL clauses of which all, or any, must be true."""

    all: tuple[NamedClause, ...] = Field((), max_length=16)
    any: tuple[NamedClause, ...] = Field((), max_length=16)


class Cap(Strict):
    """At most `max` times in the last `window_days`, or ever; counted before the campaign is offered again."""

    max: int = Field(ge=1, le=MAX_CAP)
    window_days: Days | None = None
    scope: Scope = "campaign"
    event: CountedEvent = ISSUED
    """What is counted: triggers issued, or those of which a consumer reported this."""


class Suppression(Strict):
    """Feedback after which the campaign is not offered, for so many days or ever."""

    event: FeedbackEvent
    window_days: Days | None = None
    scope: Scope = "campaign"


class QuietHours(Strict):
    """The time of day, in the user's time zone, in which the campaign disturbs nobody."""

    start: TimeOfDay
    end: TimeOfDay
    then: Literal["defer", "drop"] = "defer"
    """Decide afresh when they end, or not at all."""


class ByScore(Strict):
    """A rank that differs from user to user."""

    score: Id


Rank = Annotated[
    Annotated[Share, Tag("[number]")] | Annotated[ByScore, Tag("[score]")],
    Discriminator(lambda value: "[score]" if isinstance(value, dict | ByScore) else "[number]"),
]


class CampaignTerms(Strict):
    """When, to whom and where an offer is made."""

    offer: Id
    placement: Id
    moments: tuple[Selector, ...] = Field(max_length=32)
    priority: int = Field(ge=0, le=100)
    """The higher wins."""
    rank: Rank = 0.0
    """Among campaigns of one priority the higher wins."""
    audience: Id | None = None
    """None: everybody."""
    cap: Annotated[tuple[Cap, ...], BeforeValidator(_as_list), Field(max_length=8, strict=False)] = ()
    cool_down_hours: Annotated[dict[CountedEvent, Hours], BeforeValidator(_rest_after_issue)] = Field({})
    """How long the campaign rests after its last trigger, or after feedback to it."""
    quiet_hours: QuietHours | None = None
    suppress_on: Annotated[
        tuple[Suppression, ...], BeforeValidator(_suppressions), Field(max_length=8, strict=False)
    ] = ()
    exclusivity_group: Id | None = None
    """Of the campaigns of a group, a user has an open trigger of one at most."""
    experiment: Id | None = None
    expires_after_hours: Hours | None = None
    """Instead of the offer's `validity_hours`."""
    state: Literal["draft", "live", "paused", "archived"] = "live"
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None

    @property
    def fixed_rank(self) -> float:
        """The rank that is the same for every user: 0 where a score gives it."""
        return 0.0 if isinstance(self.rank, ByScore) else self.rank


def precedence(campaign_id: str, terms: CampaignTerms, rank: float) -> tuple[int, float, str]:
    """A sort key, best first: the higher priority, then the higher rank, then the lower id."""
    return -terms.priority, -rank, campaign_id


class Variant(Strict):
    """One arm of an experiment."""

    id: Id
    offer: Id | None
    """What it offers; null: nothing at all."""
    weight: Share | None = None
    """Its share of those in the experiment; not where a policy says."""


class NamespaceRange(Strict):
    """Experiments of one namespace with separate ranges never share a user."""

    id: Id
    start: Share
    end: Share


class ExperimentTerms(Strict):
    """Which variant of a campaign a user gets."""

    variants: tuple[Variant, ...] = Field(min_length=2, max_length=32)
    state: Literal["draft", "running", "stopped"] = "running"
    """Only a running one assigns; otherwise everybody gets the campaign's own offer."""
    unit: Literal["user", "subscription"] = "user"
    salt: Salt | None = None
    """What the hash begins with (GrowthBook's seed); else the experiment's id."""
    hash_version: Literal[1, 2] = 2
    coverage: Share = 1.0
    """The share of users who are in it; the others get the campaign's own offer."""
    namespace: NamespaceRange | None = None
    sticky: bool = True
    """A user keeps the first variant, whatever becomes of weights and coverage."""
    bucket_version: int = Field(0, ge=0, le=1_000_000)
    """Raise it to assign everybody anew."""
    min_bucket_version: int = Field(0, ge=0, le=1_000_000)
    """Users who were assigned at a lower version are in the experiment no more."""
    policy: Id | None = None
    """Takes the place of the weights: probabilities computed offline, picked by the hash of the cause."""
    floor: Floor = 0.0
    """The least probability of each arm, whatever the policy says."""
    goal_metrics: tuple[Metric, ...] = Field((), max_length=8)
    guardrail_metrics: tuple[Metric, ...] = Field((), max_length=8)


class HoldoutTerms(Strict):
    """Users who get nothing, so that lift can be measured."""

    percent: float = Field(ge=0.01, le=100)
    """In hundredths at the finest."""
    campaigns: tuple[Id, ...] | None = None
    """Those they do not get; None: all of them."""
    salt: Reference | None = None
    """What the hash begins with; else the holdout's id."""
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class Raise(Strict):
    """A moment that a score brings when it rises, and not again until it has fallen well below."""

    moment: RaisedMoment
    at_least: Share
    rearm_below: Share


class ScoreTerms(Strict):
    """A score in use; the artifact of that name and version says how it is computed."""

    version: int = Field(ge=1, le=1_000_000)
    raises: Raise | None = None


class CatalogDocument(Strict):
    """A whole catalog; maps are keyed by id."""

    kill_switch: bool = False
    """Nothing at all is offered while it is on."""
    time_zone: TimeZone = "UTC"
    """Of users who told none."""
    placements: dict[Id, Placement] = Field({}, max_length=64)
    offers: dict[Id, Offer] = Field({}, max_length=500)
    audiences: dict[Id, Clauses] = Field({}, max_length=500)
    campaigns: dict[Id, CampaignTerms] = Field({}, max_length=500)
    experiments: dict[Id, ExperimentTerms] = Field({}, max_length=200)
    holdouts: dict[Id, HoldoutTerms] = Field({}, max_length=32)
    scores: dict[Id, ScoreTerms] = Field({}, max_length=16)
    milestones: dict[Milestone, Annotated[tuple[Days, ...], Field(max_length=8)]] = Field({})
    """Days before the trial ends, and days after the expiry, at which those moments come."""
