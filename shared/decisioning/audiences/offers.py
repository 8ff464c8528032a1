"""The facts about the offers of a campaign that the user was given: exact counts, and days since the last ones."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from shared.domain.events import FeedbackKind
from shared.domain.tallies import ISSUED, Count, Tally, events_of
from shared.domain.user import User

_EVENTS = (ISSUED, *map(str, FeedbackKind))
LAST = {f"last_{event}_days": event for event in _EVENTS}
"""The facts in days since the last event of a kind, each with the kind; null if there was none."""
OF_OFFERS = (*_EVENTS, *LAST)
"""The names of all facts about the offers of a campaign. What was withheld counts in none of them."""

OfOffers = dict[str, int | None]
"""The facts about the offers of one campaign."""


def offers_of(user: User, campaigns: Iterable[str]) -> dict[str, OfOffers]:
    """The facts about the offers of each of these campaigns, 0 and null for one that the user never met."""
    return {campaign: _facts(user, campaign) for campaign in campaigns}


def _facts(user: User, campaign: str) -> OfOffers:
    counts = {count.event: count for count in Tally("campaign", campaign).plus(_counts(user, campaign)).counts}
    numbers = {event: counts[event].number if event in counts else 0 for event in _EVENTS}
    days = {name: _days(counts.get(event), user.now) for name, event in LAST.items()}
    return {**numbers, **days}


def _counts(user: User, campaign: str) -> Iterator[Count]:
    """The counts of a campaign: one for each event of a stored trigger, and those of triggers that left."""
    for trigger in user.triggers:
        if trigger.campaign_id == campaign:
            yield from (Count(str(event), 1, at) for event, at in events_of(trigger))
    for tally in user.tallies.rows:
        if tally.name == campaign and tally.scope == "campaign":
            yield from tally.counts
    for sketch in user.tallies.sketches:
        if number := sketch.estimate("campaign", campaign):
            yield Count(sketch.event, number, sketch.last_at)


def _days(count: Count | None, now: datetime) -> int | None:
    """Whole days since the last event, rounded down; 0 if a consumer's clock is ahead."""
    return max((now - count.last_at).days, 0) if count else None
