"""The situation of one decision: the catalog, the user, and a cache of the facts computed about them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.decisioning.audiences.attributes import as_fact, mismatch
from shared.decisioning.audiences.audience import Audience
from shared.decisioning.audiences.facts import ATTRIBUTE, FACTS, OF_EVENT, Facts, every_subscription
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
EVER_NEW = COSTLY_FACTS | {"now", "features"}
"""Facts by which the answer of an audience is not kept: they are never the same twice, or cannot be compared."""
NOT_IN_CONTEXT = EVER_NEW - {"offers"}
"""Facts that are no part of a decision's context by themselves."""
OF_THE_EVENT = frozenset(f"event.{name}" for name in OF_EVENT)


class _Inputs(NamedTuple):
    """Everything that a set of audiences asks for."""

    facts: frozenset[str]
    costly_facts: frozenset[str]
    fields: frozenset[str]
    """The fields of `subscriptions`."""
    offers: tuple[str, ...]
    """The campaigns of `offers`."""
    kept_by: tuple[str, ...]
    """The facts by whose values the answers are kept; empty if one of them is ever new."""


@lru_cache(maxsize=64)
def _inputs_of(audiences: tuple[Audience, ...]) -> _Inputs:
    names = frozenset[str]().union(*(audience.variables for audience in audiences))
    fields = frozenset[str]().union(*(audience.fields for audience in audiences))
    kept_by = tuple(sorted(names)) if names.isdisjoint(EVER_NEW) else ()
    offers = tuple(dict.fromkeys(campaign for audience in audiences for campaign in audience.offers))
    return _Inputs(names - COSTLY_FACTS, names & COSTLY_FACTS, fields, offers, kept_by)


@lru_cache(maxsize=2048)
def _kept_failures(
    audiences: tuple[Audience, ...], names: tuple[str, ...], values: tuple[object, ...]
) -> tuple[str | None, ...]:
    """The failures of audiences, kept by the values of all facts that they ask for."""
    return tuple(failures(audiences, dict(zip(names, values, strict=True))))


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
        self._ill_typed: dict[str, str] = {}
        """A sentence for each attribute that was asked for and is not of its type, by its name as a fact."""

    @cached_property
    def zone(self) -> ZoneInfo:
        """The user's time zone, or the catalog's if it is unknown."""
        return zone_of(self.user.profile.time_zone, self.catalog.document.time_zone)

    def with_triggers(self, triggers: tuple[Trigger, ...]) -> "Situation":
        """The same situation with some of the user's triggers revoked; no fact depends on that."""
        changed = Situation(self.catalog, replace(self.user, triggers=triggers), is_outdated=self.is_outdated)
        changed._facts, changed._scored = self._facts, self._scored
        changed._held_out, changed._failures = self._held_out, self._failures
        changed._ill_typed = self._ill_typed
        return changed

    def score(self, name: str) -> Scored:
        """The result of one of the catalog's scores for the user."""
        if name not in self._scored:
            score = self._score(name)
            self._scored[name] = score.evaluate(self._known(score.features))
        return self._scored[name]

    def _score(self, name: str) -> Score | BrokenScore:
        return self.catalog.library.score(name, self.catalog.document.scores[name].version)

    def held_out(self, campaign: Campaign) -> tuple[str, ...]:
        """The holdouts that cover the campaign and include the user now."""
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
        new = tuple(dict.fromkeys(one for one in audiences if one not in self._failures))
        if new:
            self._note(new, failures(new, self._asked_facts(new)))

    def ask_again(self, audiences: Iterable[Audience]) -> None:
        """Evaluate audiences that were probably asked before: most often, no fact has changed since."""
        new = tuple(dict.fromkeys(one for one in audiences if one not in self._failures))
        names = _inputs_of(new).kept_by
        if not names:
            self.ask(new)
            return
        known = self._known(names)
        self._note(new, _kept_failures(new, names, tuple([known[name] for name in names])))

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
        self._failures |= {
            one: reason and self._with_reason(one, reason) for one, reason in zip(audiences, reasons, strict=True)
        }

    def _with_reason(self, audience: Audience, failure: str) -> str:
        """The failure with the score's own error, and with the attributes that count as null for their type.

        CEL reports a failed score only as a missing key.
        """
        for scored in self._scored.values():
            if scored.error and failure.endswith(f'"{scored.name}"'):
                failure = f"{failure} ({scored.error})"
        if not self._ill_typed:
            return failure
        asked = sorted(self._ill_typed.keys() & audience.variables)
        return f"{failure} ({'; '.join(self._ill_typed[name] for name in asked)})" if asked else failure

    def context(self, audiences: Iterable[Audience]) -> Context:
        """The scores that were computed, what these audiences asked for, and what the scores did; in this order.

        The instant is left out without a word, because every message tells it. So is `features`, which is empty.
        """
        inputs = _inputs_of(tuple(sorted(set(audiences), key=lambda audience: audience.id)))
        asked = self._asked(inputs)
        features = frozenset[str]().union(*[self._score(name).features for name in self._scored])
        known = self._known(features)
        values: Facts = {f"scores.{name}": self._scored[name].value for name in sorted(self._scored)}
        values |= flat({name: asked[name] for name in sorted(asked.keys() - NOT_IN_CONTEXT)})
        told = fit(values | flat({name: known[name] for name in sorted(features - asked.keys() - NOT_IN_CONTEXT)}))
        too_long = inputs.costly_facts & {"subscriptions"}
        return told._replace(left_out=(*too_long, *told.left_out)) if too_long else told

    def _asked_facts(self, audiences: tuple[Audience, ...]) -> Facts:
        """Every fact that the audiences use."""
        inputs = _inputs_of(audiences)
        facts = self._asked(inputs)
        if "subscriptions" in inputs.costly_facts:
            facts["subscriptions"] = every_subscription(self.user, inputs.fields)
        return facts

    def _asked(self, inputs: _Inputs) -> Facts:
        """The value of every variable that audiences use, but the list of subscriptions."""
        known = self._known(inputs.facts)
        facts = {name: known[name] for name in inputs.facts}
        if "scores" in inputs.costly_facts:
            scored = (self.score(name) for name in self.catalog.document.scores)
            facts["scores"] = {result.name: result.value for result in scored if result.value is not None}
        if "offers" in inputs.costly_facts:
            facts["offers"] = offers_of(self.user, inputs.offers)
        return facts

    def _known(self, names: Iterable[str]) -> Facts:
        """The cache of facts, with at least these names in it; an unknown name has the value None."""
        known = self._facts
        for name in names:
            if name not in known:
                fact = FACTS.get(name)
                known[name] = fact(self.user) if fact else self._attribute(name)
        return known

    def _attribute(self, fact: str) -> object:
        """An attribute by its name as a fact; None if it is unknown, of another type, or no attribute at all."""
        name = fact.removeprefix(ATTRIBUTE)
        declared, value = self.catalog.document.attributes.get(name), self.user.attributes.get(name)
        if declared is None or value is None or not fact.startswith(ATTRIBUTE):
            return None
        if problem := mismatch(name, value, declared):
            self._ill_typed[fact] = problem
        return as_fact(value, declared)
