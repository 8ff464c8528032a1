"""The life of a user as a timeline for people, without ticks of the clock and what repeats another entry."""

from collections.abc import Iterator

from infra.inspect import timeline, withheld
from infra.inspect.timeline import EntryKind, TimelineEntry
from infra.terminal import wording
from shared.domain.arrival import Arrival
from shared.domain.events import FeedbackGiven
from shared.queries.life import Life, LifeEntry, LifeKind
from shared.queries.life_entry import is_held_back
from shared.queries.life_log import SANDBOX

OUTCOMES = {
    Arrival.DUPLICATE: "published again: nothing changed",
    Arrival.LATE: "older than what the document holds: it counts in part, if at all",
    Arrival.IGNORED: "of before the user's erasure: nothing changed",
    SANDBOX: "of a test environment: nothing changed",
}
"""The outcomes of events that are told; that an event was applied goes without saying."""
SHOWN_OF_LETTER = 12
"""Characters shown of a dead letter's id; `dead-letters show` takes any beginning that is unique."""


def entries(life: Life) -> list[TimelineEntry]:
    """The timeline of a life. Of entries that read alike, one is told."""
    told = Told(life)
    return list(dict.fromkeys(line for entry in life.entries for line in told.lines(entry)))


class Told:
    """The relations between the entries of a life."""

    def __init__(self, life: Life) -> None:
        about = [entry for entry in life.entries if "trigger_id" in entry.body]
        self._campaigns = {
            one.body["trigger_id"]: one.body["campaign_id"] for one in about if "campaign_id" in one.body
        }
        self._feedback = {(one.body["trigger_id"], one.body["kind"]) for one in about if one.event}
        """The feedback whose events are told, so that the exposures that echo it need not be."""
        decisions = (one.body for one in life.entries if one.kind is LifeKind.DECISION)
        self._decided = {one.get("trigger_id") for body in decisions for one in body["candidates"]}
        """The triggers of which decisions tell."""

    def lines(self, entry: LifeEntry) -> Iterator[TimelineEntry]:
        """The lines of an entry, if it is told at all."""
        match entry.kind:
            case LifeKind.EVENT | LifeKind.FEEDBACK if entry.event:
                kind = EntryKind.EVENT if entry.kind is LifeKind.EVENT else EntryKind.FEEDBACK
                yield TimelineEntry(entry.at, kind, self.of_event(entry))
            case LifeKind.REJECTED:
                yield TimelineEntry(entry.at, EntryKind.REFUSED, of_rejected(entry))
            case LifeKind.EXPOSURE:
                yield from self._of_exposure(entry)
            case LifeKind.CHANGE | LifeKind.DECISION | LifeKind.TRIGGER:
                yield from timeline.of_message(entry.topic, entry.body)

    def of_event(self, entry: LifeEntry) -> str:
        """An accepted event with what became of it; feedback by the campaign whose offer it answers."""
        event = entry.event
        if event and isinstance(event.fact, FeedbackGiven):
            text = self._of_feedback(event.fact.trigger_id, event.fact.kind)
        else:
            text = wording.of_event(event) if event else ""
        outcome = OUTCOMES.get(entry.note)
        return f"{text} ({outcome})" if outcome else text

    def _of_feedback(self, trigger_id: str, kind: str) -> str:
        shown = trigger_id[: wording.SHOWN_OF_ID]
        campaign = self._campaigns.get(trigger_id)
        return f"{campaign}: {kind} (trigger {shown})" if campaign else f"{kind} of trigger {shown}"

    def _of_exposure(self, entry: LifeEntry) -> Iterator[TimelineEntry]:
        """An exposure, unless a decision or an event tells the same."""
        body = entry.body
        trigger_id, kind = body["trigger_id"], body["kind"]
        if is_held_back(body):
            if trigger_id not in self._decided:
                offered = {**body, "offer_id": withheld.offer_of(body)}
                text = f"{wording.of_trigger(offered)}, {wording.with_short_times(entry.note)}"
                yield TimelineEntry(entry.at, EntryKind.WITHHELD, text)
        elif (trigger_id, kind) not in self._feedback:
            yield TimelineEntry(entry.at, EntryKind.FEEDBACK, self._of_feedback(trigger_id, kind))


def of_rejected(entry: LifeEntry) -> str:
    """A rejected event: its topic and id, the reason, and the letter that holds it."""
    event = entry.body.get("event") or {}
    identity = f" {wording.shortened(str(event['event_id']))}" if "event_id" in event else ""
    letter = str(entry.body.get("dead_letter_id") or "")[:SHOWN_OF_LETTER]
    return f"{entry.topic}{identity}: {entry.note}" + (f" (dead letter {letter})" if letter else "")
