"""Try: an event as a form, checked and then published; and what came of it."""

import json
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.console.context import Console
from infra.console.event_form import FURTHER, TOPICS, Field, event_of, fields_of, typed_in, values_of
from infra.console.feed import Feed, News, Wanted, line_of
from infra.console.pages.live import stream_of
from infra.inspect.forecast import Forecast, forecast
from infra.inspect.reasons import by_field
from infra.raw.follower import LogMessage
from infra.remote.happening import of_history
from infra.samples.samples import STORY, kinds, sample, story
from infra.terminal.values import NO_JSON
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.inbound.fields import is_id
from shared.contracts.topics import Topic

PATH = "/try"
USER = "ada"
"""The user of a sample for whom none is chosen."""
PATIENCE_SECONDS = 3.0
"""How long an answer waits for what comes of an event."""
LOOK_SECONDS = 0.2


class Checked(NamedTuple):
    """An event that was typed in, and what a function would do with it."""

    text: str
    """The event as JSON."""
    forecast: Forecast
    problems: Mapping[str, str]
    """The reasons of a refusal by the path of their field; under the empty path those of none."""


def routes(console: Console) -> Sequence[Route]:
    """The form, what it sends, and what came of it."""
    trial = _Trial(console)

    async def publish(request: Request) -> Response:
        fields = await console.forms.fields_of(request)
        return await run_in_threadpool(trial.publish, fields)

    return [
        Route(PATH, trial.show, methods=["GET"]),
        Route(PATH, publish, methods=["POST"]),
        Route(f"{PATH}/sent", trial.sent),
    ]


class _Trial:
    """Fills the pages."""

    def __init__(self, console: Console) -> None:
        self._console, self._sources = console, console.sources
        self._feed = Feed(console.sources.log) if console.sources.log else None

    def show(self, request: Request) -> Response:
        """The choice of a kind of event; with one, its form; with `check`, what would come of what it holds."""
        kind, user = request.query_params.get("kind", ""), request.query_params.get("user", "").strip() or USER
        topic, values, checked = "", dict[str, str](), None
        if "check" in request.query_params:
            topic, values = _topic_of(request.query_params.get("topic", "")), typed_in(request.query_params)
            checked = self._checked(topic, values)
        elif kind:
            topic, values = self._sample(kind, user)
        return self._console.render.page(
            request,
            "try.html",
            kind=kind,
            user=user,
            topic=topic,
            kinds=_kinds_by_group(),
            values=values,
            shown=[field for field in fields_of(topic) if _is_shown(field, values)] if topic else [],
            more=[field for field in fields_of(topic) if not _is_shown(field, values)] if topic else [],
            checked=checked,
            now=self._sources.now(),
            moves=self._sources.running is not None and self._sources.running.clock is not None,
            stories=[(name, story(name)) for name in _stories()],
        )

    def publish(self, fields: Mapping[str, str]) -> Response:
        """Publish the event of a form, valid or not, and go where it is told what came of it."""
        topic, text = _topic_of(fields.get("topic", "")), fields.get("event", "")
        if self._sources.running is None:
            raise HTTPException(403, "nothing can be published here: nothing runs")
        place = self._feed.page(Wanted()).place if self._feed else ""
        message_id = self._sources.running.bus.publish(topic, text.encode())
        about = {"topic": topic, "message": message_id, "after": place, **_identity(text)}
        return RedirectResponse(f"{PATH}/sent?{urlencode(about)}", 303)

    def sent(self, request: Request) -> Response:
        """What came of an event, as far as the raw log tells it by now."""
        about = request.query_params
        user = about.get("user", "")
        messages, news = self._wait_for(about) if self._feed else ([], None)
        letter = next((one.body for one in messages if one.topic == Topic.DEAD_LETTER), None)
        return self._console.render.page(
            request,
            "try_sent.html",
            topic=about.get("topic", ""),
            message=about.get("message", ""),
            user=user,
            kind=about.get("kind", ""),
            letter=letter,
            lines=[line_of(one) for one in messages],
            news=news,
            stream=stream_of(Wanted(user=user)),
        )

    def _sample(self, kind: str, user: str) -> tuple[str, dict[str, str]]:
        """The topic and the inputs of a sample; what the user's history lacks stays empty."""
        made = sample(kind, user, self._sources.now(), {})
        if made.asks and is_id(user) and (found := of_history(made.asks, self._sources.documents.read(user))):
            made.data[made.asks] = found
        return made.topic, values_of(made.topic, made.data)

    def _checked(self, topic: str, values: Mapping[str, str]) -> Checked:
        try:
            event = event_of(topic, values)
        except NO_JSON as error:
            text = values.get(FURTHER, "")
            told = self._forecast(topic, text.encode())
            return Checked(text, told, {FURTHER: f"expected a JSON object, found something else ({error})"})
        text = json.dumps(event, indent=1, ensure_ascii=False)
        told = self._forecast(topic, text.encode())
        return Checked(text, told, by_field(told.refused.detail) if told.refused else {})

    def _forecast(self, topic: str, data: bytes) -> Forecast:
        sources = self._sources
        return forecast(topic, Delivery(data, {}), sources.documents.read, sources.now(), sources.terms)

    def _wait_for(self, about: Mapping[str, str]) -> tuple[list[LogMessage], News]:
        """The messages to which an event has led, oldest first, and the news about its user."""
        feed, wanted = self._feed, Wanted(user=about.get("user", ""))
        if feed is None:
            raise HTTPException(404, "there is no raw log to follow here")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            feed.log.refresh()
            found = [one for one in feed.log.recent() if _came_of(one, about)]
            if found or time.monotonic() > deadline:
                return found, feed.news(wanted, about.get("after", ""))
            time.sleep(LOOK_SECONDS)


def _came_of(message: LogMessage, about: Mapping[str, str]) -> bool:
    """True for the dead letter of a published event, and for every message that names it as its event."""
    body = message.body or {}
    if message.topic == Topic.DEAD_LETTER:
        return body.get("pubsub_message_id") == about.get("message")
    named = {"topic": about.get("topic"), "source": about.get("source", ""), "event_id": about.get("event")}
    return body.get("event") == named


def _identity(text: str) -> dict[str, str]:
    """What an event says of itself, as far as it can be read."""
    try:
        event = json.loads(text)
    except NO_JSON:
        return {}
    if not isinstance(event, dict):
        return {}
    named = {"event": event.get("event_id"), "user": event.get("user_id"), "source": event.get("source")}
    return {name: value for name, value in named.items() if isinstance(value, str)}


def _topic_of(text: str) -> str:
    if text not in TOPICS:
        raise HTTPException(400, f"topic: expected one of {', '.join(TOPICS)}, found {text!r}")
    return text


def _is_shown(field: Field, values: Mapping[str, str]) -> bool:
    """True for what is required or filled in; the other fields are folded away."""
    return field.required or bool(values.get(field.path))


def _kinds_by_group() -> list[tuple[str, list[str]]]:
    """The kinds of events by the word before their dot."""
    events = (kind for kind in kinds() if not kind.startswith(STORY))
    return [(group, list(names)) for group, names in groupby(events, lambda kind: kind.partition(".")[0])]


def _stories() -> list[str]:
    return [kind.removeprefix(STORY) for kind in kinds() if kind.startswith(STORY)]
