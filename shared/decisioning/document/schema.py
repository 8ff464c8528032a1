"""The schema of a catalog, as merchandisers write it: every field with its type and bounds."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Discriminator, Field, Tag

from shared.decisioning.document.vocabulary import (
    MAX_CAP,
    MAX_MEMBERS,
    MAX_SEGMENTS,
    CountedEvent,
    Days,
    FeedbackEvent,
    Floor,
    Hours,
    Id,
    Metric,
    Milestone,
    NamedClause,
    Offset,
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
    WeekDays,
)
from shared.domain.tallies import ISSUED


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _one_in_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _cool_down_after_issue(value: object) -> object:
    return {ISSUED: value} if isinstance(value, int) else value


def _suppressions(value: object) -> object:
    """The rules in full: a lone word is a kind of feedback, without an end (no window)."""
    entries = value if isinstance(value, list) else [value]
    return [{"event": entry} if isinstance(entry, str) else entry for entry in entries]


class Placement(Strict):
    """A place where triggers are shown."""

    channel: Id
    """The medium, such as email. It is passed on to consumers."""
    max_triggers: int = Field(1, ge=1, le=8)
    """The most campaigns that may have the placement at a time; see `holds`."""
    holds: Literal["open", "decision"] = "open"
    """The time for which a winner holds its place: while its trigger is open, or for one decision only.

    The second is for what is sent and gone, such as e-mail.
    """
    fallback: Id | None = None
    """The offer for users who are eligible for no campaign of the placement. None: no offer."""


class Offer(Strict):
    """An offer to a user. Its words and pictures are in the CMS."""

    cms_ref: Reference
    """The offer's entry in the CMS."""
    validity_hours: Hours
    """The number of hours for which a trigger with this offer may be shown."""
    plans_from: tuple[Plan, ...] = ()
    """The plans whose users may get the offer. Empty: all plans."""
    plan_to: Plan | None = None
    """The plan that the offer leads to."""
    price_ref: Reference | None = None
    """The offer's price in another system."""
    status: Literal["draft", "approved", "archived"] = "approved"
    """Only an approved offer is shown to users."""


class Attribute(Strict):
    """An attribute of users that clauses may use."""

    type: Literal["string", "number", "bool", "list"]
    """A value of another type counts as unknown."""


class Feature(Strict):
    """A feature of users that clauses and scores may use: computed in the warehouse, and exported from there."""

    type: Literal["string", "number", "bool"]
    """A value of another type counts as unknown."""
    max_age_hours: Hours
    """The age in hours from which a value is stale, and counts as unknown."""


class Clauses(Strict):
    """An audience: named CEL clauses and other audiences. The user must satisfy each of the fields."""

    all: tuple[NamedClause, ...] = Field((), max_length=MAX_MEMBERS)
    """All of these clauses must be true."""
    any: tuple[NamedClause, ...] = Field((), max_length=MAX_MEMBERS)
    """Any of these clauses must be true."""
    all_of: tuple[Id, ...] = Field((), max_length=MAX_MEMBERS)
    """The user must be in all of these audiences."""
    any_of: tuple[Id, ...] = Field((), max_length=MAX_MEMBERS)
    """The user must be in any of these audiences."""
    none_of: tuple[Id, ...] = Field((), max_length=MAX_MEMBERS)
    """The user must be known to be in none of these audiences."""

    @property
    def members(self) -> tuple[Id, ...]:
        """The other audiences."""
        return self.all_of + self.any_of + self.none_of


class ChannelCap(Strict):
    """A limit on how often a user hears from a channel: at most `max` events in a window. A used-up cap stops."""

    max: int = Field(ge=1, le=MAX_CAP)
    window_days: Days | None = None
    """The length of the window, up to the decision. None: ever."""
    calendar_days: Days | None = None
    """In place of `window_days`: so many days of the user's calendar, today included."""
    event: CountedEvent = ISSUED
    """The event that is counted: issued triggers, triggers with this kind of feedback, or every impression."""


class Cap(ChannelCap):
    """A limit on how often a campaign is offered."""

    scope: Scope = "campaign"
    """The triggers that are counted."""


OpenDays = Annotated[
    tuple[WeekDays, ...], BeforeValidator(_one_in_list), Field(min_length=1, max_length=7, strict=False)
]
"""The days of the week, in the user's time zone, on which the campaign is offered."""


class Suppression(Strict):
    """A rule that stops the campaign after the user's feedback."""

    event: FeedbackEvent
    """The kind of feedback."""
    window_days: Days | None = None
    """The number of days for which it stops the campaign. None: for ever."""
    scope: Scope = "campaign"
    """The triggers whose feedback counts."""


class QuietHours(Strict):
    """The hours of the day, in the user's time zone, in which the campaign is not offered."""

    start: TimeOfDay
    end: TimeOfDay
    """The first time after the quiet hours. Before `start`: on the next day."""
    then: Literal["defer", "drop"] = "defer"
    """`defer` decides the moment again when the quiet hours end. `drop` discards it, also by `days` beside it."""


class Channel(Strict):
    """The rules of a channel, written once for every campaign whose placement delivers by it."""

    cap: Annotated[tuple[ChannelCap, ...], BeforeValidator(_as_list), Field(max_length=8, strict=False)] = ()
    """The caps, beside those of the campaign. Each of them must leave room."""
    quiet_hours: QuietHours | None = None
    """Quiet hours beside those of the campaign."""
    days: OpenDays | None = None
    """The days on which it is used. None: all."""


class ByScore(Strict):
    """A rank that is the user's value of a score."""

    score: Id


Rank = Annotated[
    Annotated[Share, Tag("[number]")] | Annotated[ByScore, Tag("[score]")],
    Discriminator(lambda value: "[score]" if isinstance(value, dict | ByScore) else "[number]"),
]
"""A fixed rank, or a score. The tags are left out of the paths in problems."""


class CampaignTerms(Strict):
    """A campaign: the moments, the audience and the placement for an offer, with its limits."""

    offer: Id
    placement: Id
    moments: tuple[Selector, ...] = Field(max_length=32)
    """The moments that the campaign reacts to. A milestone may name its offset: `lapsed@7`.

    A follow-up names the campaign that it follows: `feedback.absent@3d:CAMPAIGN`.
    """
    priority: int = Field(ge=0, le=100)
    """The campaign with the higher priority wins the placement."""
    rank: Rank = 0.0
    """Among campaigns of equal priority, the higher rank wins; then the lower id."""
    require_score: bool = False
    """If true, it makes no offer without the score that ranks it. Otherwise it then ranks below all others."""
    audience: Id | None = None
    """None: all users."""
    cap: Annotated[tuple[Cap, ...], BeforeValidator(_as_list), Field(max_length=8, strict=False)] = ()
    """The caps. Each of them must leave room."""
    cool_down_hours: Annotated[dict[CountedEvent, Hours], BeforeValidator(_cool_down_after_issue)] = Field({})
    """The hours for which the campaign pauses after its last trigger (`issued`), or after feedback to one."""
    quiet_hours: QuietHours | None = None
    days: OpenDays | None = None
    """The days on which it makes offers. None: all. On others it waits for the next hour that is not quiet."""
    suppress_on: Annotated[
        tuple[Suppression, ...], BeforeValidator(_suppressions), Field(max_length=8, strict=False)
    ] = ()
    exclusivity_group: Id | None = None
    """A user has an open trigger of at most one campaign of a group."""
    experiment: Id | None = None
    """The experiment that chooses the offer."""
    expires_after_hours: Hours | None = None
    """Replaces the offer's `validity_hours`."""
    replaces: bool = True
    """True if it may take the place of an open trigger: of its own, or of a campaign of lower priority."""
    state: Literal["draft", "live", "paused", "archived"] = "live"
    """Only a live campaign makes offers."""
    starts_at: AwareDatetime | None = None
    """The first instant at which it makes offers. None: no limit."""
    ends_at: AwareDatetime | None = None
    """The first instant at which it no longer makes offers. None: no limit."""

    @property
    def fixed_rank(self) -> float:
        """The rank that is the same for every user; 0 if a score ranks the campaign."""
        return 0.0 if isinstance(self.rank, ByScore) else self.rank


def precedence(campaign_id: str, terms: CampaignTerms, rank: float) -> tuple[int, float, str]:
    """A sort key, best campaign first: higher priority, then higher rank, then lower id."""
    return -terms.priority, -rank, campaign_id


class Variant(Strict):
    """One arm of an experiment."""

    id: Id
    offer: Id | None
    """The offer of the variant. None (null): no offer."""
    weight: Share | None = None
    """The share of the experiment's users who get this variant. None if a policy sets the probabilities."""


class NamespaceRange(Strict):
    """A range of a namespace, which hashes users whatever the unit of the experiment.

    Experiments with disjoint ranges of one namespace never assign the same user.
    """

    id: Id
    start: Share
    end: Share


class ExperimentTerms(Strict):
    """An experiment: the variants of a campaign's offer, and the rules that assign users to them."""

    variants: tuple[Variant, ...] = Field(min_length=2, max_length=32)
    state: Literal["draft", "running", "stopped"] = "running"
    """Only a running experiment assigns users. Otherwise all users get the campaign's own offer."""
    unit: Literal["user", "subscription"] = "user"
    """The unit of assignment: the user, or each subscription separately."""
    salt: Salt | None = None
    """The seed of the hash (GrowthBook's `seed`). None: the experiment's id."""
    hash_version: Literal[1, 2] = 2
    """GrowthBook's `hashVersion`. Version 1 is for experiments that started with it."""
    coverage: Share = 1.0
    """The share of users in the experiment. The others get the campaign's own offer."""
    namespace: NamespaceRange | None = None
    """The range of a namespace that the experiment takes new users from. None: all users.

    Users who were assigned before keep their variant, also if they are outside the range now.
    """
    sticky: bool = True
    """If true, users keep their first variant even if weights, coverage or namespace change."""
    reassign: bool = False
    """If true, users of a variant that was removed are assigned anew. Otherwise they leave the experiment."""
    bucket_version: int = Field(0, ge=0, le=1_000_000)
    """Increase it to hash all users again. With the same salt and weights they get the same variant again."""
    min_bucket_version: int = Field(0, ge=0, le=1_000_000)
    """Users who were assigned at a lower bucket version are excluded from the experiment."""
    policy: Id | None = None
    """A policy in place of weights: probabilities computed offline. A hash of the cause picks the variant."""
    floor: Floor = 0.0
    """The lowest probability of each variant, whatever the policy says."""
    segments: tuple[Id, ...] = Field((), max_length=MAX_SEGMENTS)
    """Audiences for which the policy may have probabilities of their own. A user is in the first that fits."""
    goal_metrics: tuple[Metric, ...] = Field((), max_length=8)
    """For analysis: the metrics that the experiment should improve."""
    guardrail_metrics: tuple[Metric, ...] = Field((), max_length=8)
    """For analysis: the metrics that the experiment must not harm."""
    control: Id | None = None
    """For analysis: the variant that the others are compared with. None: the only one that offers nothing."""
    harm_margin: Share = 0.0
    """For analysis: the harm to a guardrail that is tolerated, as a share of control's mean."""
    auto_stop: bool = False
    """If true, `upbeat experiment guard` stops the experiment once a guardrail is surely worse."""

    @property
    def compared_with(self) -> Id | None:
        """The control, as named or as the only variant that offers nothing; None if there is none."""
        without = [variant.id for variant in self.variants if variant.offer is None]
        return self.control or (without[0] if len(without) == 1 else None)


class HoldoutTerms(Strict):
    """A holdout: users who get no offers, so that lift can be measured against them."""

    percent: float = Field(ge=0.01, le=100)
    """The share of all users in percent, rounded to hundredths."""
    campaigns: tuple[Id, ...] | None = None
    """The campaigns that held-out users do not get. None: all campaigns."""
    salt: Reference | None = None
    """The seed of the hash, after the prefix `holdout/`. None: the holdout's id."""
    audience: Id | None = None
    """Only users who are in the audience when it is decided are held out. None: all users."""
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class Raise(Strict):
    """A moment that a score raises, with hysteresis: once, then not again until the score has fallen."""

    moment: RaisedMoment
    at_least: Share
    """The moment is raised when the score reaches this value."""
    rearm_below: Share
    """The moment can be raised again after the score was below this value."""


class ScoreTerms(Strict):
    """A score in use. The artifact with its name and version says how it is computed."""

    version: int = Field(ge=1, le=1_000_000)
    raises: Raise | None = None
    """None: the score raises no moment."""


class CatalogDocument(Strict):
    """A whole catalog. The maps are keyed by id."""

    kill_switch: bool = False
    """While it is true, no campaign makes any offer."""
    time_zone: TimeZone = "UTC"
    """The time zone of users whose own is unknown."""
    channels: dict[Id, Channel] = Field({}, max_length=32)
    """Rules for all campaigns of a channel."""
    placements: dict[Id, Placement] = Field({}, max_length=64)
    offers: dict[Id, Offer] = Field({}, max_length=500)
    attributes: dict[Id, Attribute] = Field({}, max_length=64)
    """The attributes of users that clauses may use."""
    features: dict[Id, Feature] = Field({}, max_length=32)
    """The features of users that clauses and scores may use."""
    audiences: dict[Id, Clauses] = Field({}, max_length=500)
    campaigns: dict[Id, CampaignTerms] = Field({}, max_length=500)
    experiments: dict[Id, ExperimentTerms] = Field({}, max_length=200)
    holdouts: dict[Id, HoldoutTerms] = Field({}, max_length=32)
    scores: dict[Id, ScoreTerms] = Field({}, max_length=16)
    milestones: dict[Milestone, Annotated[tuple[Offset, ...], Field(max_length=8)]] = Field({})
    """The offsets of milestones, in days or in hours (36h): before the trial ends, or after the expiry."""
