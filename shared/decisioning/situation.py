"""The situation of one decision: the user, and what was already found out about them."""

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from shared.decisioning.audiences.audience import Audience, activate, failures
from shared.decisioning.audiences.facts import FACTS, Facts, every_subscription
from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.experiments.experiment import Holdout
from shared.decisioning.offer_history import OfferHistory
from shared.decisioning.scoring.score import Scored
from shared.domain.events import FeedbackKind
from shared.domain.user import User

COSTLY = frozenset({"scores", "subscriptions"})
"""Facts of which only what is asked for is found out."""


class _Wanted(NamedTuple):
    """What some audiences ask for, all together."""

    facts: frozenset[str]
    costly: frozenset[str]
    fields: frozenset[str]


@lru_cache(maxsize=64)
def _wanted(audiences: tuple[Audience, ...]) -> _Wanted:
    names = frozenset[str]().union(*(audience.asks for audience in audiences))
    fields = frozenset[str]().union(*(audience.fields for audience in audiences))
    return _Wanted(names - COSTLY, names & COSTLY, fields)


class Situation:
    """What all candidates of one decision share. Everything is found out when it is first asked for, and once."""

    def __init__(self, catalog: Catalog, user: User, audiences: tuple[Audience, ...] = ()) -> None:
        self.catalog = catalog
        self.user = user
        self.audiences = audiences
        """Those that may be asked about, each once; whoever decides names them before the first is."""
        self.offer_history = OfferHistory(user)
        self._facts: Facts = {}
        self._scored: dict[str, Scored] = {}
        self._held_out: dict[str, bool] = {}

    def score(self, name: str) -> Scored:
        """What a score of the catalog says of the user."""
        if name not in self._scored:
            score = self.catalog.library.score(name, self.catalog.document.scores[name].version)
            self._scored[name] = score.evaluate(self._known(score.features))
        return self._scored[name]

    def held_out(self, holdout: Holdout) -> bool:
        """Whether the user is one of those held out."""
        if holdout.id not in self._held_out:
            self._held_out[holdout.id] = holdout.includes(self.user.user_id, self.user.now)
        return self._held_out[holdout.id]

    def rivals(self, campaign: Campaign) -> list[str]:
        """The other campaigns of the group that have an open trigger."""
        group = campaign.terms.exclusivity_group
        campaigns, now = self.catalog.document.campaigns, self.user.now
        shown = (
            trigger.campaign_id
            for trigger in (*self.user.triggers, *self.offer_history.issued)
            if trigger.campaign_id != campaign.id
            and trigger.is_open(now)
            and trigger.reported(FeedbackKind.DISMISSED) is None
        )
        return [id_ for id_ in shown if id_ in campaigns and campaigns[id_].exclusivity_group == group]

    @cached_property
    def failures(self) -> dict[Audience, str | None]:
        """Why the user is not in each of the audiences; None where they are."""
        found = failures(self.audiences, self._activation())
        return {
            audience: failure and self._with_reason(failure)
            for audience, failure in zip(self.audiences, found, strict=True)
        }

    def _with_reason(self, failure: str) -> str:
        """CEL says of a score that failed only that it is not there; here is why."""
        for scored in self._scored.values():
            if scored.error and failure.endswith(f'"{scored.name}"'):
                return f"{failure} ({scored.error})"
        return failure

    def _activation(self) -> Any:
        """What the clauses of this decision ask for, found out once for all of them."""
        wanted = _wanted(self.audiences)
        known = self._known(wanted.facts)
        facts = {name: known[name] for name in wanted.facts}
        if "scores" in wanted.costly:
            scored = (self.score(name) for name in self.catalog.document.scores)
            facts["scores"] = {one.name: one.value for one in scored if one.value is not None}
        if "subscriptions" in wanted.costly:
            facts["subscriptions"] = every_subscription(self.user, wanted.fields)
        return activate(facts)

    def _known(self, names: Iterable[str]) -> Facts:
        """The facts of these names, among whatever else was found out; None of a name that nobody knows."""
        known = self._facts
        for name in names:
            if name not in known:
                known[name] = FACTS.get(name, _unknown)(self.user)
        return known


def _unknown(_user: User) -> None:
    return None
