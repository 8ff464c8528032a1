"""The effects of an event that was published from a form, as far as the raw log tells it by now."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.console.context import Console
from infra.console.feed import Feed, Line, News, Wanted, line_of
from infra.console.pages.live import stream_of
from infra.inspect.life_timeline import OUTCOMES
from infra.raw.follower import LogMessage
from shared.contracts.topics import Topic
from shared.domain.terms import Terms
from shared.queries.life import life

PATH = "/try/sent"
PATIENCE_SECONDS = 3.0
"""The time for which an answer waits for the effects of an event."""
LOOK_SECONDS = 0.2


class Sent(NamedTuple):
    """An event that was published, as the address of its page tells it."""

    topic: str
    message_id: str
    """Pub/Sub's id."""
    place: str
    """The place of the raw log before it was published; empty where there is no raw log."""
    user_id: str
    source: str
    event_id: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Sent":
        """The event in the query of an address."""
        return cls(*(query.get(name, "") for name in cls._fields))

    def led_to(self, message: LogMessage) -> bool:
        """True for the dead letter of the event, and for every message that names it as its event."""
        body = message.body or {}
        if message.topic == Topic.DEAD_LETTER:
            return bool(body.get("pubsub_message_id") == self.message_id)
        return bool(body.get("event") == {"topic": self.topic, "source": self.source, "event_id": self.event_id})


class Fate(NamedTuple):
    """The effects of an event."""

    lines: list[Line]
    """The messages to which it has led, the oldest first."""
    outcome: str
    """The reason why nothing came of it, in words; empty if something did, or if it is not known."""
    news: News
    """The entries of its user's life since it was published."""


def routes(console: Console) -> Sequence[Route]:
    """The page."""
    feed = console.feed

    def page(request: Request) -> Response:
        sent = Sent.of(request.query_params)
        fate = _fate_of(sent, feed, console.sources.terms) if feed else None
        bodies = (
            [line.message.body or {} for line in fate.lines if line.message.topic == Topic.DEAD_LETTER]
            if fate
            else []
        )
        return console.render.page(
            request,
            "published.html",
            sent=sent,
            fate=fate,
            letter=bodies[0] if bodies else None,
            news=fate and fate.news,
            stream=stream_of(Wanted(user=sent.user_id)),
        )

    return [Route(PATH, page)]


def _fate_of(sent: Sent, feed: Feed, terms: Terms) -> Fate:
    """The fate of an event, once there is any, or once `PATIENCE_SECONDS` have passed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        feed.log.refresh()
        found = [message for message in feed.log.recent() if sent.led_to(message)]
        outcome = "" if found else _outcome(sent, feed, terms)
        if found or outcome or time.monotonic() > deadline:
            return Fate([line_of(one) for one in found], outcome, feed.news(Wanted(user=sent.user_id), sent.place))
        time.sleep(LOOK_SECONDS)


def _outcome(sent: Sent, feed: Feed, terms: Terms) -> str:
    """The fate of the newest event with this identity, unless it was applied."""
    told = life(sent.user_id, [message.logged for message in feed.log.about(sent.user_id)], None, terms)
    identity = (sent.topic, sent.source, sent.event_id)
    notes = [entry.note for entry in told.entries if entry.event and entry.event.key[1:] == identity]
    return OUTCOMES.get(notes[-1], "") if notes else ""
