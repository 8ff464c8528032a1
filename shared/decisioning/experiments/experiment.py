"""Experiments and holdouts: the variant that a user gets, and the users who get no offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

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


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment that can assign users. A weighted variant depends only on the terms and the user."""

    id: str
    terms: ExperimentTerms
    variants: Mapping[str, Variant]
    ranges: tuple[Range, ...]
    """The range of each weighted variant, in order. With a policy: one range of all users in the experiment."""
    namespace: Namespace | None

    @classmethod
    def of(cls, id_: str, terms: ExperimentTerms) -> "Experiment":
        """The experiment of valid terms."""
        space = terms.namespace
        weights = [1.0] if terms.policy else [variant.weight or 0.0 for variant in terms.variants]
        return cls(
            id_,
            terms,
            {variant.id: variant for variant in terms.variants},
            ranges(weights, terms.coverage),
            Namespace(space.id, space.start, space.end) if space else None,
        )

    @property
    def salt(self) -> str:
        """The seed of the hash."""
        return self.terms.salt or self.id

    def choice(self, user: User, moment: Moment, policies: Mapping[str, Policy]) -> Choice | Loss | None:
        """The user's variant; None for a user outside the experiment; a loss if its policy cannot be used."""
        terms = self.terms
        if terms.state != "running":
            return None
        unit = moment.subscription_id if terms.unit == "subscription" else ""
        known = next(
            (each for each in user.assignments if (each.experiment_id, each.unit) == (self.id, unit)), None
        )
        if known and known.bucket_version < terms.min_bucket_version:
            return None
        if known and terms.sticky and not terms.policy and known.bucket_version == terms.bucket_version:
            kept = self.variants.get(known.variant)
            if kept:
                return Choice(self.id, kept.id, known.propensity, None, kept.offer)
        index = self._index(user.user_id, f"{user.user_id}/{unit}" if unit else user.user_id)
        if index is None:
            return None
        if terms.policy:
            return self._picked(terms.policy, user.user_id, moment, policies)
        variant = terms.variants[index]
        weight = variant.weight or 0.0
        new = Assignment(self.id, unit, terms.bucket_version, variant.id, user.now, weight)
        return Choice(self.id, variant.id, weight, None, variant.offer, new if terms.sticky else None)

    def _index(self, user_id: str, value: str) -> int | None:
        """The variant's index. A namespace hashes the user whatever the unit, so that it really excludes."""
        if self.namespace and not in_namespace(user_id, self.namespace):
            return None
        return choose(bucket(self.salt, value, self.terms.hash_version), self.ranges)

    def _picked(self, name: str, user_id: str, moment: Moment, policies: Mapping[str, Policy]) -> Choice | Loss:
        """The policy's pick, by a hash of user and cause: a retry gets the same arm, another cause another one."""
        policy = policies.get(name)
        if policy is None:
            return Loss(LossReason.POLICY, f"policy {name}: expected a valid one, found none")
        if mistake := mismatch(policy, self.variants):
            return Loss(LossReason.POLICY, f"policy {name}: {mistake}")
        picked = pick(policy, self.terms.floor, self.salt, user_id, moment.cause)
        return Choice(self.id, *picked, self.variants[picked.variant].offer)


@dataclass(frozen=True, slots=True)
class Holdout:
    """A share of all users who get no offers of some campaigns, or of any campaign."""

    id: str
    terms: HoldoutTerms

    def covers(self, campaign_id: str) -> bool:
        """True if the holdout applies to the campaign."""
        return self.terms.campaigns is None or campaign_id in self.terms.campaigns

    def includes(self, user_id: str, now: datetime) -> bool:
        """True if the holdout runs at `now` and includes the user."""
        terms = self.terms
        running = (not terms.starts_at or now >= terms.starts_at) and (not terms.ends_at or now < terms.ends_at)
        return running and is_held_out(terms.salt or self.id, user_id, terms.percent)
