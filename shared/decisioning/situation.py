"""The situation of one decision: the catalog, the user, and a cache of the facts computed about them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.decisioning.audiences.attributes import as_fact, mismatch
from shared.decisioning.audiences.audience import Audience
from shared.decisioning.audiences.facts import (
    ATTRIBUTE,
    FACTS,
    FEATURE,
    OF_BEST,
    OF_EVENT,
    Facts,
    every_subscription,
    fields_of_each,
)
from shared.decisioning.audiences.features import feature_fact, told
from shared.decisioning.audiences.membership import failures
from shared.decisioning.audiences.offers import offers_of
from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.context import Context, fit, flat
from shared.decisioning.experiments.experiment import Holdout
from shared.decisioning.offer_history import OfferHistory
from shared.decisioning.quiet import zone_of
from shared.decisioning.scoring.score import BrokenScore, Score, Scored
from shared.domain.events import FeedbackKind
from shared.domain.moments import Moment
from shared.domain.triggers import Trigger
from shared.domain.user import User

COSTLY_FACTS = frozenset({"offers", "scores", "subscriptions"})
"""Facts that are expensive to compute: only the parts that an audience asks for are computed."""
EVER_NEW = frozenset({"offers", "scores", "now"})
"""Facts by which the answer of an audience is not kept: they are never the same twice, or cannot be compared."""
NOT_IN_CONTEXT = (EVER_NEW | COSTLY_FACTS) - {"offers"}
"""Facts that are no part of a decision's context by themselves."""
OF_THE_EVENT = frozenset(f"event.{name}" for name in OF_EVENT)


class _Inputs(NamedTuple):
    """Everything that a set of audiences asks for."""

    facts: tuple[str, ...]
    """The facts that cost little."""
    costly_facts: frozenset[str]
    fields: tuple[str, ...]
    """The fields of `subscriptions`."""
    offers: tuple[str, ...]
    """The campaigns of `offers`."""
    told: tuple[str, ...]
    """The facts that a context tells, in its order."""
    attributes: tuple[str, ...]
    """The facts that are attributes."""
    is_kept: bool
    """True if the answers are kept by the values of the facts: none of these is ever new."""


@lru_cache(maxsize=128)
def _inputs_of(audiences: tuple[Audience, ...]) -> _Inputs:
    names = frozenset[str]().union(*(audience.variables for audience in audiences))
    fields = frozenset[str]().union(*(audience.fields for audience in audiences))
    by_id = sorted(audiences, key=lambda audience: audience.id)
    return _Inputs(
        facts=tuple(sorted(names - COSTLY_FACTS)),
        costly_facts=names & COSTLY_FACTS,
        fields=tuple(sorted(fields)),
        offers=tuple(dict.fromkeys(campaign for audience in by_id for campaign in audience.offers)),
        told=tuple(sorted(names - NOT_IN_CONTEXT)),
        attributes=tuple(name for name in names if name.startswith(ATTRIBUTE)),
        is_kept=names.isdisjoint(EVER_NEW),
    )


@lru_cache(maxsize=128)
def _told_names(of_audiences: tuple[str, ...], *of_scores: frozenset[str]) -> tuple[str, ...]:
    """The facts that a context tells: those that audiences asked for, then those that only scores did."""
    return *of_audiences, *sorted(frozenset().union(*of_scores) - {*of_audiences} - NOT_IN_CONTEXT)


@lru_cache(maxsize=2048)
def _kept_failures(
    audiences: tuple[Audience, ...], values: tuple[object, ...], subscriptions: tuple[tuple[object, ...], ...]
) -> tuple[str | None, ...]:
    """The failures of audiences, kept by the values of everything that they ask for.

    Most often nothing has changed since a user was asked last, or another user has the same values.
    """
    inputs = _inputs_of(audiences)
    facts: Facts = dict(zip(inputs.facts, values, strict=True))
    if "subscriptions" in inputs.costly_facts:
        facts["subscriptions"] = [dict(zip(inputs.fields, fields, strict=True)) for fields in subscriptions]
    return tuple(failures(audiences, facts))


@lru_cache(maxsize=1024)
def _asks_event(audience: Audience) -> bool:
    return not OF_THE_EVENT.isdisjoint(audience.variables)


class Situation:
    """The data that all candidates of one decision share. Each value is computed on first use, and once."""

    def __init__(self, catalog: Catalog, user: User, *, is_outdated: bool = False) -> None:
        self.catalog = catalog
        self.user = user
        self.is_outdated = is_outdated
        """True if the user was processed by a newer catalog before, which this instance has not loaded yet.

        Then nothing is taken back on the catalog's account: the newer one may allow it.
        """
        self.offer_history = OfferHistory(user, catalog.document.time_zone)
        self._facts: Facts = {}
        self._scored: dict[str, Scored] = {}
        self._held_out: dict[str, bool] = {}
        self._failures: dict[Audience, str | None] = {}
        self._unusable: dict[str, str] = {}
        """The reason why an attribute or a feature that was asked for counts as null, by its name as a fact.

        An attribute that is merely not known has none.
        """

    @cached_property
    def zone(self) -> ZoneInfo:
        """The user's time zone, or the catalog's if it is unknown."""
        return zone_of(self.user.profile.time_zone, self.catalog.document.time_zone)

    def with_triggers(self, triggers: tuple[Trigger, ...]) -> "Situation":
        """The same situation with some of the user's triggers revoked; no fact depends on that."""
        changed = Situation(self.catalog, replace(self.user, triggers=triggers), is_outdated=self.is_outdated)
        changed._facts, changed._scored = self._facts, self._scored
        changed._held_out, changed._failures = self._held_out, self._failures
        changed._unusable = self._unusable
        return changed

    def score(self, name: str) -> Scored:
        """The result of one of the catalog's scores for the user."""
        if name not in self._scored:
            score = self._score(name)
            self._scored[name] = score.evaluate(self._known(score.features))
        return self._scored[name]

    def facts(self, names: Iterable[str]) -> Facts:
        """These facts as a score is given them: None for one that is unknown."""
        known = self._known(names := tuple(names))
        return {name: known[name] for name in names}

    def _score(self, name: str) -> Score | BrokenScore:
        return self.catalog.library.score(name, self.catalog.document.scores[name].version)

    def held_out(self, campaign: Campaign) -> tuple[str, ...]:
        """The holdouts that cover the campaign and include the user now."""
        if not campaign.holdouts:
            return ()
        return tuple(holdout.id for holdout in campaign.holdouts if self._is_held_out(holdout))

    def _is_held_out(self, holdout: Holdout) -> bool:
        if holdout.id not in self._held_out:
            is_chosen = holdout.includes(self.user.user_id, self.user.now)
            wanted = holdout.audience if is_chosen else None
            self._held_out[holdout.id] = is_chosen and (wanted is None or self.failure(wanted) is None)
        return self._held_out[holdout.id]

    def rivals(self, campaign: Campaign) -> list[str]:
        """The other campaigns of the exclusivity group that have an open trigger which was not dismissed."""
        group = campaign.terms.exclusivity_group
        campaigns, now = self.catalog.document.campaigns, self.user.now
        shown = (
            trigger.campaign_id
            for trigger in (*self.user.triggers, *self.offer_history.won)
            if trigger.campaign_id != campaign.id
            and trigger.is_open(now)
            and trigger.reported(FeedbackKind.DISMISSED) is None
        )
        return [id_ for id_ in shown if id_ in campaigns and campaigns[id_].exclusivity_group == group]

    def ask(self, audiences: Iterable[Audience]) -> None:
        """Evaluate these audiences as one program, which costs less than one by one."""
        new = tuple({one: None for one in audiences if one not in self._failures})
        if new:
            self._note(new, self._failures_of(new))

    def _failures_of(self, audiences: tuple[Audience, ...]) -> Iterable[str | None]:
        inputs = _inputs_of(audiences)
        known = self._known(inputs.facts)
        # Equal lists may hold numbers of other types, which CEL tells apart.
        has_list = inputs.attributes and any(isinstance(known[name], tuple) for name in inputs.attributes)
        if has_list or not inputs.is_kept:
            return failures(audiences, self._asked_facts(inputs))
        subscriptions = fields_of_each(self.user, inputs.fields) if "subscriptions" in inputs.costly_facts else ()
        return _kept_failures(audiences, tuple([known[name] for name in inputs.facts]), subscriptions)

    def failure(self, audience: Audience, moment: Moment | None = None) -> str | None:
        """The reason why the user is not in an audience; None if the user is in it.

        For a moment that the present event did not bring, that event's facts are null.
        """
        event = self.user.event
        if event and moment and _asks_event(audience) and moment.cause != event.key.cause:
            return self._without_event.failure(audience)
        if audience not in self._failures:
            self.ask((audience,))
        return self._failures[audience]

    @cached_property
    def _without_event(self) -> "Situation":
        other = Situation(self.catalog, replace(self.user, event=None))
        other._scored = self._scored
        return other

    def _note(self, audiences: Iterable[Audience], reasons: Iterable[str | None]) -> None:
        for one, reason in zip(audiences, reasons, strict=True):
            self._failures[one] = reason and self._with_reason(one, reason)

    def _with_reason(self, audience: Audience, failure: str) -> str:
        """The failure with the score's own error, and with the reasons why attributes and features count as null.

        CEL reports a failed score only as a missing key.
        """
        for scored in self._scored.values():
            if scored.error and failure.endswith(f'"{scored.name}"'):
                failure = f"{failure} ({scored.error})"
        reasons = told([self._unusable[name] for name in self._unusable if name in audience.variables])
        return f"{failure} ({'; '.join(reasons)})" if reasons else failure

    def context(self, audiences: Iterable[Audience]) -> Context:
        """The scores that were computed, what these audiences asked for, and what the scores did; in this order.

        The instant is left out without a word, because every message tells it.
        """
        inputs = _inputs_of(tuple(dict.fromkeys(audiences)))
        names = _told_names(inputs.told, *[self._score(name).features for name in self._scored])
        asked = self.facts(names)
        if "offers" in inputs.costly_facts:
            asked["offers"] = offers_of(self.user, inputs.offers)
        scores: Facts = {f"scores.{name}": self._scored[name].value for name in sorted(self._scored)}
        context = fit(scores | flat(asked))
        too_long = inputs.costly_facts & {"subscriptions"}
        if too_long:
            context = context._replace(left_out=(*too_long, *context.left_out))
        if not self._unusable:
            return context
        features = [name for name in names if name.startswith(FEATURE)]
        missing = told([self._unusable[name] for name in features if name in self._unusable])
        return context._replace(features_missing=missing)

    def _asked_facts(self, inputs: _Inputs) -> Facts:
        """Every fact that audiences use."""
        facts = self.facts(inputs.facts)
        if "scores" in inputs.costly_facts:
            scored = (self.score(name) for name in self.catalog.document.scores)
            facts["scores"] = {result.name: result.value for result in scored if result.value is not None}
        if "offers" in inputs.costly_facts:
            facts["offers"] = offers_of(self.user, inputs.offers)
        if "subscriptions" in inputs.costly_facts:
            facts["subscriptions"] = every_subscription(self.user, inputs.fields)
        return facts

    def _known(self, names: Iterable[str]) -> Facts:
        """The cache of facts, with at least these names in it; an unknown name has the value None."""
        known, user, subscription = self._facts, self.user, self.user.subscription
        for name in names:
            if name in known:
                continue
            if of_best := OF_BEST.get(name):  # most facts; in one call, not two
                known[name] = of_best(subscription, user)
            else:
                fact = FACTS.get(name)
                known[name] = fact(user) if fact else self._declared(name)
        return known

    def _declared(self, fact: str) -> object:
        """An attribute or a feature by its name as a fact; None if it is unusable, or neither of them."""
        if fact.startswith(FEATURE):
            terms = self.catalog.document.features.get(fact.removeprefix(FEATURE))
            value, reason = feature_fact(fact, terms, self.user.features, self.user.now)
            if reason:
                self._unusable[fact] = reason
            return value
        name = fact.removeprefix(ATTRIBUTE)
        declared, value = self.catalog.document.attributes.get(name), self.user.attributes.get(name)
        if declared is None or value is None or not fact.startswith(ATTRIBUTE):
            return None
        if problem := mismatch(fact, value, declared):
            self._unusable[fact] = problem
        return as_fact(value, declared)
