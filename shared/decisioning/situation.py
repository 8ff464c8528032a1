"""The situation of one decision: the user, and what was already found out about them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from shared.decisioning.audience import Audience, activate
from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.experiments import Holdout
from shared.decisioning.schema import Cap
from shared.decisioning.scope import FACTS, Facts
from shared.decisioning.scoring.score import Scored
from shared.decisioning.vocabulary import MAX_CAP
from shared.domain.events import FeedbackKind
from shared.domain.tallies import ISSUED, SCOPES, Tally, events_of
from shared.domain.triggers import Trigger
from shared.domain.user import User

Times = list[datetime]
"""Instants, oldest first."""
NEVER: Times = []


def _offers(campaign: Campaign) -> Sequence[str]:
    """All that a campaign may offer: which it is depends on the variant, which is chosen last."""
    variants = campaign.experiment.terms.variants if campaign.experiment else ()
    return [*{campaign.terms.offer, *(variant.offer for variant in variants if variant.offer)}]


SOUGHT: Mapping[str, Callable[[Campaign], Sequence[str]]] = {
    "campaign": lambda campaign: (campaign.id,),
    "offer": _offers,
    "placement": lambda campaign: (campaign.terms.placement,),
    "channel": lambda campaign: (campaign.channel,),
    "user": lambda _: ("",),
}
"""What a scope counts for a campaign that asks how often it may be offered; see `SCOPES`."""


class Counted(NamedTuple):
    """How far a cap is used up."""

    scope: str
    event: str
    window_days: int | None
    max: int
    used: int


class Situation:
    """What all candidates of one decision share. Everything is found out when it is first asked for, and once."""

    def __init__(self, catalog: Catalog, user: User) -> None:
        self.catalog = catalog
        self.user = user
        self.issued: list[Trigger] = []
        """The triggers that this very decision has come to so far; caps count them too."""
        self._failures: dict[str, str | None] = {}
        self._facts: Facts = {}
        self._scored: dict[str, Scored] = {}
        self._held_out: dict[str, bool] = {}
        self._times: dict[tuple[str, str], dict[str, Times]] = {}
        self._windows: dict[int, datetime] = {}
        self._counts: dict[str, tuple[Counted, ...]] = {}

    def failure(self, audience: Audience) -> str | None:
        """Why the user is not in the audience, or None."""
        if audience.id not in self._failures:
            self._failures[audience.id] = audience.failure(self._activation)
        return self._failures[audience.id]

    def score(self, name: str) -> Scored:
        """What a score of the catalog says of the user."""
        if name not in self._scored:
            score = self.catalog.library.score(name, self.catalog.document.scores[name].version)
            self._scored[name] = score.evaluate(self._known(score.features & FACTS.keys()))
        return self._scored[name]

    def held_out(self, holdout: Holdout) -> bool:
        """Whether the user is one of those held out."""
        if holdout.id not in self._held_out:
            self._held_out[holdout.id] = holdout.holds(self.user.user_id, self.user.now)
        return self._held_out[holdout.id]

    def times(self, campaign: Campaign, scope: str = "campaign", event: str = ISSUED) -> Times:
        """When what a scope counts for a campaign took place; revoked triggers count too."""
        counted = self._times.get((scope, event))
        if counted is None:
            counted = self._times[scope, event] = self._count(SCOPES[scope], event)
        names, rough = SOUGHT[scope](campaign), self.user.tallies.rough
        if len(names) == 1 and not rough:
            return counted.get(names[0], NEVER)
        known = [at for name in names for at in counted.get(name, NEVER)]
        for one in rough:
            if one.event == event:
                known += [one.last_at] * max(one.number(scope, name) for name in names)
        return sorted(known)

    def within(self, times: Times, window_days: int | None) -> int:
        """How many of them lie in the last days, the instant that long ago excluded; None: ever."""
        if window_days is None or not times:
            return len(times)
        return len(times) - bisect_right(times, self._begins(window_days))

    def counts(self, campaign: Campaign) -> tuple[Counted, ...]:
        """How far a campaign's caps are used up."""
        known = self._counts.get(campaign.id)
        if known is None:
            known = self._counts[campaign.id] = tuple(self._counted(campaign, cap) for cap in campaign.terms.cap)
        return known

    def rivals(self, campaign: Campaign) -> list[str]:
        """The other campaigns of the group that have an open trigger."""
        group = campaign.terms.exclusivity_group
        campaigns, now = self.catalog.document.campaigns, self.user.now
        shown = (
            trigger.campaign_id
            for trigger in (*self.user.triggers, *self.issued)
            if trigger.campaign_id != campaign.id
            and trigger.is_open(now)
            and trigger.reported(FeedbackKind.DISMISSED) is None
        )
        return [id_ for id_ in shown if id_ in campaigns and campaigns[id_].exclusivity_group == group]

    def note(self, trigger: Trigger) -> None:
        """Count a trigger that this decision has come to."""
        self.issued.append(trigger)
        self._counts.clear()
        for (scope, event), counted in self._times.items():
            if event == ISSUED:
                counted.setdefault(SCOPES[scope](trigger), []).append(trigger.decided_at)

    @cached_property
    def _happened(self) -> dict[str, list[tuple[datetime, Trigger | Tally]]]:
        """By event, when what took place. The time of the last stands for all of those that are only counted."""
        happened: dict[str, list[tuple[datetime, Trigger | Tally]]] = {}
        for tally in self.user.tallies.rows:
            happened.setdefault(tally.event, []).extend([(tally.last_at, tally)] * min(tally.number, MAX_CAP))
        for trigger in self.user.triggers:
            for event, at in events_of(trigger):
                happened.setdefault(event, []).append((at, trigger))
        return happened

    def _counted(self, campaign: Campaign, cap: Cap) -> Counted:
        used = self.within(self.times(campaign, cap.scope, cap.event), cap.window_days)
        return Counted(cap.scope, cap.event, cap.window_days, cap.max, used)

    def _begins(self, window_days: int) -> datetime:
        if window_days not in self._windows:
            self._windows[window_days] = self.user.now - timedelta(days=window_days)
        return self._windows[window_days]

    @cached_property
    def _activation(self) -> Any:
        facts = self._known(self.catalog.asks - {"scores"})
        if "scores" in self.catalog.asks:
            scored = (self.score(name) for name in self.catalog.document.scores)
            facts["scores"] = {one.name: one.value for one in scored if one.value is not None}
        return activate(facts)

    def _known(self, names: Iterable[str]) -> Facts:
        for name in names:
            if name not in self._facts:
                self._facts[name] = FACTS[name](self.user)
        return {name: self._facts[name] for name in names}

    def _count(self, name_of: Callable[[Trigger | Tally], str], event: str) -> dict[str, Times]:
        """By what a scope calls them, when events of one kind took place."""
        found: dict[str, Times] = {}
        for at, it in self._happened.get(event, ()):
            found.setdefault(name_of(it), []).append(at)
        if event == ISSUED:
            for trigger in self.issued:
                found.setdefault(name_of(trigger), []).append(trigger.decided_at)
        for times in found.values():
            times.sort()
        return found
