"""What was offered to a user and what became of it, counted as caps, rests and suppressions ask for it."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from shared.decisioning.catalog import Campaign
from shared.decisioning.document.schema import Cap
from shared.decisioning.document.vocabulary import MAX_CAP
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
    "channel": lambda campaign: (campaign.placement.channel,),
    "user": lambda _: ("",),
}
"""What a scope counts for a campaign that asks how often it may be offered; see `SCOPES`."""


class CapUsage(NamedTuple):
    """How far a cap is used up."""

    scope: str
    event: str
    window_days: int | None
    max: int
    used: int


class OfferHistory:
    """All that one user was offered, by this very decision too; revoked triggers count like others."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.issued: list[Trigger] = []
        """The triggers that this very decision has come to so far."""
        self._times: dict[tuple[str, str], dict[str, Times]] = {}
        self._windows: dict[int, datetime] = {}
        self._counts: dict[str, tuple[CapUsage, ...]] = {}

    def times(self, campaign: Campaign, scope: str = "campaign", event: str = ISSUED) -> Times:
        """When what a scope counts for a campaign took place."""
        counted = self._times.get((scope, event))
        if counted is None:
            counted = self._times[scope, event] = self._count(SCOPES[scope], event)
        names, sketches = SOUGHT[scope](campaign), self.user.tallies.sketches
        if len(names) == 1 and not sketches:
            return counted.get(names[0], NEVER)
        known = [at for name in names for at in counted.get(name, NEVER)]
        for one in sketches:
            if one.event == event:
                known += [one.last_at] * max(one.number(scope, name) for name in names)
        return sorted(known)

    def within(self, times: Times, window_days: int | None) -> int:
        """How many of them lie in the last days, the instant that long ago excluded; None: ever."""
        if window_days is None or not times:
            return len(times)
        return len(times) - bisect_right(times, self._begins(window_days))

    def counts(self, campaign: Campaign) -> tuple[CapUsage, ...]:
        """How far a campaign's caps are used up."""
        if not campaign.terms.cap:
            return ()
        known = self._counts.get(campaign.id)
        if known is None:
            known = self._counts[campaign.id] = tuple(self._counted(campaign, cap) for cap in campaign.terms.cap)
        return known

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

    def _counted(self, campaign: Campaign, cap: Cap) -> CapUsage:
        used = self.within(self.times(campaign, cap.scope, cap.event), cap.window_days)
        return CapUsage(cap.scope, cap.event, cap.window_days, cap.max, used)

    def _begins(self, window_days: int) -> datetime:
        if window_days not in self._windows:
            self._windows[window_days] = self.user.now - timedelta(days=window_days)
        return self._windows[window_days]

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
