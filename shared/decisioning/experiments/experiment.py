"""Experiments and holdouts: the variant that a user gets, and the users who get no offers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from shared.decisioning.audiences.audience import Audience
from shared.decisioning.document.schema import ExperimentTerms, HoldoutTerms, Variant
from shared.decisioning.experiments.bucketing import (
    Namespace,
    Range,
    bucket,
    choose,
    in_namespace,
    is_held_out,
    ranges,
)
from shared.decisioning.experiments.policy import Policy, mismatch, pick
from shared.decisioning.losses import Loss, LossReason
from shared.domain.assignments import Assignment
from shared.domain.moments import Moment
from shared.domain.user import User


class Choice(NamedTuple):
    """The variant that a user gets, with its propensity."""

    experiment_id: str
    variant: str
    propensity: float
    """The probability with which this user got this variant."""
    policy_version: str | None
    """None if weights assign the variant."""
    offer_id: str | None
    """None: the variant offers nothing."""
    assignment: Assignment | None = None
    """The assignment to store in the user's document. None if it is stored already, or is not kept."""
    assigned_at: datetime | None = None
    """The instant (UTC) of the assignment, if it was stored before; else None."""
    segment: str | None = None
    """The segment of the experiment that the user is in, for a policy that may tell segments apart."""


IsIn = Callable[[Audience], bool]
"""Says whether the user of a decision is in an audience."""


class Standing(StrEnum):
    """The effect of a stored assignment under the experiment's present terms."""

    KEPT = "kept"
    """The user keeps the variant."""
    OUTSIDE = "outside"
    """The user is outside the experiment, and gets the campaign's own offer."""
    ANEW = "anew"
    """The assignment has no effect: the user is assigned like a new one."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment that can assign users. A weighted variant depends only on the terms and the user."""

    id: str
    terms: ExperimentTerms
    variants: Mapping[str, Variant]
    ranges: tuple[Range, ...]
    """The range of each weighted variant, in order. With a policy: one range of all users in the experiment."""
    namespace: Namespace | None
    segments: tuple[Audience, ...] = ()
    """The audiences for which its policy may have probabilities of their own, in their order."""

    @classmethod
    def of(
        cls, id_: str, terms: ExperimentTerms, audiences: Mapping[str, Audience] = MappingProxyType({})
    ) -> "Experiment":
        """The experiment of valid terms, with its segments among the catalog's audiences.

        A user who is assigned without them is in no segment.
        """
        space = terms.namespace
        weights = [1.0] if terms.policy else [variant.weight or 0.0 for variant in terms.variants]
        return cls(
            id_,
            terms,
            {variant.id: variant for variant in terms.variants},
            ranges(weights, terms.coverage),
            Namespace(space.id, space.start, space.end) if space else None,
            tuple(audiences[segment] for segment in terms.segments if segment in audiences),
        )

    @property
    def salt(self) -> str:
        """The seed of the hash."""
        return self.terms.salt or self.id

    def choice(
        self, user: User, moment: Moment, policies: Mapping[str, Policy], is_in: IsIn = lambda _audience: False
    ) -> Choice | Loss | None:
        """The user's variant; None for a user outside the experiment; a loss if its policy cannot be used.

        `is_in` says whether the user is in an audience.
        """
        terms = self.terms
        if terms.state != "running":
            return None
        unit = moment.subscription_id if terms.unit == "subscription" else ""
        known = self._known(user, unit)
        standing = self.standing(known) if known else Standing.ANEW
        if known and standing is Standing.KEPT:
            offer = self.variants[known.variant].offer
            return Choice(self.id, known.variant, known.propensity, None, offer, assigned_at=known.at)
        index = None if standing is Standing.OUTSIDE else self.index(user.user_id, unit)
        if index is None:
            return None
        if terms.policy:
            return self._picked(policies.get(terms.policy), user.user_id, moment, is_in)
        variant = terms.variants[index]
        weight = variant.weight or 0.0
        new = Assignment(self.id, unit, terms.bucket_version, variant.id, user.now, weight)
        return Choice(self.id, variant.id, weight, None, variant.offer, new if terms.sticky else None)

    def standing(self, known: Assignment) -> Standing:
        """The effect that an assignment to this experiment still has.

        One to a variant that is no more puts the user outside, unless the terms say `reassign`: a user who saw
        that variant would carry its effect into another one. Coverage and namespace only concern new users.
        """
        terms = self.terms
        if terms.state != "running" or known.bucket_version < terms.min_bucket_version:
            return Standing.OUTSIDE
        if not terms.sticky or terms.policy or known.bucket_version != terms.bucket_version:
            return Standing.ANEW
        if known.variant in self.variants:
            return Standing.KEPT
        return Standing.ANEW if terms.reassign else Standing.OUTSIDE

    def index(self, user_id: str, unit: str = "") -> int | None:
        """The index of the variant to which the hash assigns a user, or one of a user's subscriptions.

        None for a user outside the experiment. A namespace hashes the user whatever the unit, so that it really
        excludes.
        """
        if self.namespace and not in_namespace(user_id, self.namespace):
            return None
        value = f"{user_id}/{unit}" if unit else user_id
        return choose(bucket(self.salt, value, self.terms.hash_version), self.ranges)

    def _known(self, user: User, unit: str) -> Assignment | None:
        """The stored assignment of the user, or of one of the user's subscriptions."""
        return next(
            (each for each in user.assignments if (each.experiment_id, each.unit) == (self.id, unit)), None
        )

    def _picked(self, policy: Policy | None, user_id: str, moment: Moment, is_in: IsIn) -> Choice | Loss:
        """The policy's pick, by a hash of user and cause: a retry gets the same arm, another cause another one."""
        if policy is None:
            return Loss(LossReason.POLICY, f"policy {self.terms.policy}: expected a valid one, found none")
        if mistake := mismatch(policy, self.variants, self.terms.segments):
            return Loss(LossReason.POLICY, f"policy {policy.name}: {mistake}")
        segment = next((each.id for each in self.segments if is_in(each)), None)
        picked = pick(policy, self.terms.floor, self.salt, user_id, moment.cause, segment=segment)
        offer = self.variants[picked.variant].offer
        return Choice(
            self.id, picked.variant, picked.propensity, picked.policy_version, offer, segment=picked.segment
        )


@dataclass(frozen=True, slots=True)
class Holdout:
    """A share of all users, or of an audience, who get no offers of some campaigns, or of any campaign."""

    id: str
    terms: HoldoutTerms
    audience: Audience | None = None
    """Only users of this audience are held out; see `Situation.held_out`."""

    def covers(self, campaign_id: str) -> bool:
        """True if the holdout applies to the campaign."""
        return self.terms.campaigns is None or campaign_id in self.terms.campaigns

    def includes(self, user_id: str, now: datetime) -> bool:
        """True if the holdout runs at `now` and includes the user, if the user is in its audience."""
        terms = self.terms
        running = (not terms.starts_at or now >= terms.starts_at) and (not terms.ends_at or now < terms.ends_at)
        return running and is_held_out(terms.salt or self.id, user_id, terms.percent)
