"""The situation of one decision: the catalog, the user, and a cache of the facts computed about them."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from shared.decisioning.audiences.audience import Audience, activate, failures
from shared.decisioning.audiences.facts import FACTS, Facts, every_subscription
from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.experiments.experiment import Holdout
from shared.decisioning.offer_history import OfferHistory
from shared.decisioning.scoring.score import Scored
from shared.domain.events import FeedbackKind
from shared.domain.triggers import Trigger
from shared.domain.user import User

COSTLY_FACTS = frozenset({"scores", "subscriptions"})
"""Facts that are expensive to compute: only the parts that an audience asks for are computed."""
EVER_NEW = COSTLY_FACTS | {"now", "features"}
"""Facts by which the answer of an audience is not kept: they are never the same twice, or cannot be compared."""


class _Inputs(NamedTuple):
    """Everything that a set of audiences asks for."""

    facts: frozenset[str]
    costly_facts: frozenset[str]
    fields: frozenset[str]
    """The fields of `subscriptions`."""
    kept_by: tuple[str, ...]
    """The facts by whose values the answers are kept; empty if one of them is ever new."""


@lru_cache(maxsize=64)
def _inputs_of(audiences: tuple[Audience, ...]) -> _Inputs:
    names = frozenset[str]().union(*(audience.variables for audience in audiences))
    fields = frozenset[str]().union(*(audience.fields for audience in audiences))
    kept_by = tuple(sorted(names)) if names.isdisjoint(EVER_NEW) else ()
    return _Inputs(names - COSTLY_FACTS, names & COSTLY_FACTS, fields, kept_by)


@lru_cache(maxsize=2048)
def _kept_failures(
    audiences: tuple[Audience, ...], names: tuple[str, ...], values: tuple[object, ...]
) -> tuple[str | None, ...]:
    """The failures of audiences, kept by the values of all facts that they ask for."""
    return tuple(failures(audiences, activate(dict(zip(names, values, strict=True)))))


class Situation:
    """The data that all candidates of one decision share. Each value is computed on first use, and once."""

    def __init__(self, catalog: Catalog, user: User, *, is_outdated: bool = False) -> None:
        self.catalog = catalog
        self.user = user
        self.is_outdated = is_outdated
        """True if the user was processed by a newer catalog before, which this instance has not loaded yet.

        Then nothing is taken back on the catalog's account: the newer one may allow it.
        """
        self.offer_history = OfferHistory(user)
        self._facts: Facts = {}
        self._scored: dict[str, Scored] = {}
        self._held_out: dict[str, bool] = {}
        self._failures: dict[Audience, str | None] = {}

    def with_triggers(self, triggers: tuple[Trigger, ...]) -> "Situation":
        """The same situation with the user's triggers changed; no fact depends on them."""
        changed = Situation(self.catalog, replace(self.user, triggers=triggers), is_outdated=self.is_outdated)
        changed._facts, changed._scored = self._facts, self._scored
        changed._held_out, changed._failures = self._held_out, self._failures
        return changed

    def score(self, name: str) -> Scored:
        """The result of one of the catalog's scores for the user."""
        if name not in self._scored:
            score = self.catalog.library.score(name, self.catalog.document.scores[name].version)
            self._scored[name] = score.evaluate(self._known(score.features))
        return self._scored[name]

    def held_out(self, campaign: Campaign) -> tuple[str, ...]:
        """The holdouts that cover the campaign and include the user now."""
        return tuple(holdout.id for holdout in campaign.holdouts if self._is_held_out(holdout))

    def _is_held_out(self, holdout: Holdout) -> bool:
        if holdout.id not in self._held_out:
            self._held_out[holdout.id] = holdout.includes(self.user.user_id, self.user.now)
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
            reasons = failures(new, self._activation(new))
            self._failures |= {
                one: reason and self._with_reason(reason) for one, reason in zip(new, reasons, strict=True)
            }

    def ask_again(self, audiences: Iterable[Audience]) -> None:
        """Evaluate audiences that were probably asked before: most often, no fact has changed since."""
        new = tuple(dict.fromkeys(one for one in audiences if one not in self._failures))
        names = _inputs_of(new).kept_by
        if not names:
            self.ask(new)
            return
        known = self._known(names)
        reasons = _kept_failures(new, names, tuple([known[name] for name in names]))
        self._failures.update(zip(new, reasons, strict=True))

    def failure(self, audience: Audience) -> str | None:
        """The reason why the user is not in an audience; None if the user is in it."""
        if audience not in self._failures:
            self.ask((audience,))
        return self._failures[audience]

    def _with_reason(self, failure: str) -> str:
        """The failure with the score's own error. CEL reports a failed score only as a missing key."""
        for scored in self._scored.values():
            if scored.error and failure.endswith(f'"{scored.name}"'):
                return f"{failure} ({scored.error})"
        return failure

    def _activation(self, audiences: tuple[Audience, ...]) -> Any:
        """The CEL activation with every variable that the audiences use."""
        inputs = _inputs_of(audiences)
        known = self._known(inputs.facts)
        facts = {name: known[name] for name in inputs.facts}
        if "scores" in inputs.costly_facts:
            scored = (self.score(name) for name in self.catalog.document.scores)
            facts["scores"] = {result.name: result.value for result in scored if result.value is not None}
        if "subscriptions" in inputs.costly_facts:
            facts["subscriptions"] = every_subscription(self.user, inputs.fields)
        return activate(facts)

    def _known(self, names: Iterable[str]) -> Facts:
        """The cache of facts, with at least these names in it; an unknown name has the value None."""
        known = self._facts
        for name in names:
            if name not in known:
                known[name] = FACTS.get(name, _unknown)(self.user)
        return known


def _unknown(_user: User) -> None:
    return None
