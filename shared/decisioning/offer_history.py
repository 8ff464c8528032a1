"""A user's triggers and their feedback, counted for caps, cool-downs and suppressions."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from shared.decisioning.calendar_days import start_of_days
from shared.decisioning.catalog import Campaign
from shared.decisioning.document.schema import Cap
from shared.decisioning.document.vocabulary import MAX_CAP
from shared.decisioning.quiet import zone_of
from shared.domain.tallies import ISSUED, SCOPES, WITHHELD, events_of
from shared.domain.triggers import Trigger
from shared.domain.user import User

Timestamps = list[datetime]
"""Instants, oldest first."""
NO_TIMESTAMPS: Timestamps = []


def _possible_offers(campaign: Campaign) -> Sequence[str]:
    """Every offer that a campaign may make. The variant, and so the offer, is chosen only after all gates."""
    variants = campaign.experiment.terms.variants if campaign.experiment else ()
    return [*{campaign.terms.offer, *(variant.offer for variant in variants if variant.offer)}]


NAMES_BY_SCOPE: Mapping[str, Callable[[Campaign], Sequence[str]]] = {
    "campaign": lambda campaign: (campaign.id,),
    "offer": _possible_offers,
    "placement": lambda campaign: (campaign.terms.placement,),
    "channel": lambda campaign: (campaign.placement.channel,),
    "user": lambda _: ("",),
}
"""The names under which a scope counts a campaign's triggers; `SCOPES` has the name of one trigger."""


def _counted_as(event: str) -> str:
    """The event as caps and rests count it: an offer that won and was withheld counts as issued."""
    return ISSUED if event == WITHHELD else event


class CapUsage(NamedTuple):
    """A cap with the number of events counted towards it so far."""

    scope: str
    event: str
    """`issued`, or the kind of feedback that is counted."""
    window_days: int | None
    """None: ever."""
    max: int
    """The cap's limit."""
    used: int
    """Events counted so far."""
    calendar_days: int | None = None
    """The window in days of the user's calendar, in place of `window_days`."""


class OfferHistory:
    """Everything that won for one user, by the current decision too; revoked and withheld triggers count alike."""

    def __init__(self, user: User, time_zone: str) -> None:
        self.user = user
        self.time_zone = time_zone
        """The time zone of a user whose own is unknown."""
        self.won: list[Trigger] = []
        """The triggers of the current decision so far, given or withheld."""
        self._times: dict[tuple[str, str], dict[str, Timestamps]] = {}
        """A cache: by scope and event, the timestamps of each name."""
        self._window_starts: dict[int, datetime] = {}
        self._counts: dict[str, tuple[CapUsage, ...]] = {}

    def times(self, campaign: Campaign, scope: str = "campaign", event: str = ISSUED) -> Timestamps:
        """The timestamps of the events that a scope counts for a campaign, oldest first.

        A sketch gives a number of events but one time only, so all its events get the time of the last one.
        """
        by_name = self._times.get((scope, event))
        if by_name is None:
            by_name = self._times[scope, event] = self._times_by_name(scope, event)
        names, sketches = NAMES_BY_SCOPE[scope](campaign), self.user.tallies.sketches
        if len(names) == 1 and not sketches:
            return by_name.get(names[0], NO_TIMESTAMPS)
        times = [at for name in names for at in by_name.get(name, NO_TIMESTAMPS)]
        for sketch in sketches:
            if _counted_as(sketch.event) == event:
                times += [sketch.last_at] * sum(sketch.estimate(scope, name) for name in names)
        return sorted(times)

    def within(self, times: Timestamps, window_days: int | None) -> int:
        """The number of timestamps in the last `window_days`, the window's start excluded. None counts all."""
        if window_days is None or not times:
            return len(times)
        return len(times) - bisect_right(times, self._start_of_window(window_days))

    def counts(self, campaign: Campaign) -> tuple[CapUsage, ...]:
        """The usage of each of a campaign's caps."""
        if not campaign.caps:
            return ()
        counts = self._counts.get(campaign.id)
        if counts is None:
            counts = self._counts[campaign.id] = tuple(self._usage(campaign, cap) for cap in campaign.caps)
        return counts

    def add(self, trigger: Trigger) -> None:
        """Count a trigger that wins in the current decision."""
        self.won.append(trigger)
        self._counts.clear()
        for (scope, event), by_name in self._times.items():
            if event == ISSUED:
                by_name.setdefault(SCOPES[scope](trigger), []).append(trigger.decided_at)

    @cached_property
    def _stored_events(self) -> dict[str, list[tuple[datetime, Trigger]]]:
        """The time and the trigger of every event of a stored trigger, by kind."""
        stored: dict[str, list[tuple[datetime, Trigger]]] = {}
        for trigger in self.user.triggers:
            for event, at in events_of(trigger):
                stored.setdefault(_counted_as(event), []).append((at, trigger))
        return stored

    def _usage(self, campaign: Campaign, cap: Cap) -> CapUsage:
        times = self.times(campaign, cap.scope, cap.event)
        if cap.calendar_days is None:
            used = self.within(times, cap.window_days)
        else:
            used = self._in_calendar_days(times, cap.calendar_days)
        return CapUsage(cap.scope, cap.event, cap.window_days, cap.max, used, cap.calendar_days)

    def _in_calendar_days(self, times: Timestamps, days: int) -> int:
        """The number of timestamps in the last days of the user's calendar, today included."""
        if not times:
            return 0
        zone = zone_of(self.user.profile.time_zone, self.time_zone)
        return len(times) - bisect_left(times, start_of_days(self.user.now, zone, days))

    def _start_of_window(self, window_days: int) -> datetime:
        if window_days not in self._window_starts:
            self._window_starts[window_days] = self.user.now - timedelta(days=window_days)
        return self._window_starts[window_days]

    def _times_by_name(self, scope: str, event: str) -> dict[str, Timestamps]:
        """The timestamps of one kind of event, by the name that a scope counts them under.

        A tally has a number of events but one time only, so all its events get the time of the last one.
        """
        by_name: dict[str, Timestamps] = {}
        name_of = SCOPES[scope]
        for at, trigger in self._stored_events.get(event, ()):
            by_name.setdefault(name_of(trigger), []).append(at)
        for tally in self.user.tallies.rows:
            if tally.scope == scope:
                for count in tally.counts:
                    if _counted_as(count.event) == event:
                        # No cap is above MAX_CAP, so that a longer list would change nothing.
                        by_name.setdefault(tally.name, []).extend([count.last_at] * min(count.number, MAX_CAP))
        if event == ISSUED:
            for trigger in self.won:
                by_name.setdefault(name_of(trigger), []).append(trigger.decided_at)
        for times in by_name.values():
            times.sort()
        return by_name
