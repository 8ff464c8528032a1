"""Try: an event as a form, checked and then published."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
from infra.console.feed import Wanted
from infra.console.pages import published
from infra.console.pages.published import Sent
from infra.errors import InfraError
from infra.inspect.reasons import by_field
from infra.remote.event_check import Checked
from infra.remote.forecast import Forecast, forecast
from infra.remote.happening import of_history
from infra.samples.samples import STORY, kinds, sample, story
from infra.terminal.values import NO_JSON
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.inbound.fields import is_id

PATH = "/try"
USER = "ada"
"""The user of a sample for whom none is chosen."""


class Tried(NamedTuple):
    """An event that was typed in, and what a function would do with it."""

    text: str
    """The event as JSON; empty if the further fields are none."""
    forecast: Forecast | None
    """None without an event."""
    problems: Mapping[str, str]
    """The reasons of a refusal by the path of their field."""


def routes(console: Console) -> Sequence[Route]:
    """The form, and what it sends."""
    trial = _Trial(console)

    async def publish(request: Request) -> Response:
        fields = await console.forms.fields_of(request)
        return await run_in_threadpool(trial.publish, fields)

    return [
        Route(PATH, trial.show, methods=["GET"]),
        Route(PATH, publish, methods=["POST"]),
    ]


class _Trial:
    """Fills the pages."""

    def __init__(self, console: Console) -> None:
        self._console, self._sources = console, console.sources

    def show(self, request: Request) -> Response:
        """The choice of a kind of event; with one, its form; with `check`, what would come of what it holds."""
        kind, user = request.query_params.get("kind", ""), request.query_params.get("user", "").strip() or USER
        topic, values, tried = "", dict[str, str](), None
        if "check" in request.query_params:
            topic, values = _topic_of(request.query_params.get("topic", "")), typed_in(request.query_params)
            tried = self._tried(topic, values)
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
            tried=tried,
            now=self._sources.now(),
            moves=self._sources.running is not None and self._sources.running.clock is not None,
            stories=[(name, story(name)) for name in _stories()],
        )

    def publish(self, fields: Mapping[str, str]) -> Response:
        """Publish the event of a form, valid or not, and go where it is told what came of it."""
        topic, text = _topic_of(fields.get("topic", "")), fields.get("event", "")
        if self._sources.running is None:
            raise HTTPException(403, "nothing can be published here: nothing runs")
        place = self._console.feed.page(Wanted()).place if self._console.feed else ""
        message_id = self._sources.running.bus.publish(topic, text.encode())
        sent = Sent(topic, message_id, place, **_identity(text))
        return RedirectResponse(f"{published.PATH}?{urlencode(sent._asdict())}", 303)

    def _sample(self, kind: str, user: str) -> tuple[str, dict[str, str]]:
        """The topic and the inputs of a sample; what the user's history lacks stays empty."""
        made = sample(kind, user, self._sources.now(), {})
        if made.asks and is_id(user):
            with suppress(InfraError):  # a document that cannot be read has no id to give
                made.data[made.asks] = of_history(made.asks, self._sources.documents.read(user)) or ""
        return made.topic, values_of(made.topic, made.data)

    def _tried(self, topic: str, values: Mapping[str, str]) -> Tried:
        try:
            event = event_of(topic, values)
        except NO_JSON as error:
            return Tried("", None, {FURTHER: f"expected a JSON object, found something else ({error})"})
        sources, text = self._sources, json.dumps(event, indent=1, ensure_ascii=False)
        delivery = Delivery(text.encode(errors="backslashreplace"), {})
        told = forecast(topic, delivery, sources.documents.read, sources.now(), sources.terms)
        return Tried(text, told, _beside_fields(told.checked))


def _beside_fields(checked: Checked) -> dict[str, str]:
    """The problems by the paths of their fields, each with what was most likely meant."""
    found: dict[str, str] = {}
    for problem in checked.problems:
        for path, sentence in by_field(problem.text).items():
            found[path] = f"{sentence} ({problem.meant}?)" if problem.meant else sentence
    return found


def _identity(text: str) -> dict[str, str]:
    """The fields that identify an event; empty texts for what it does not say, or what cannot be read."""
    try:
        event = json.loads(text)
    except NO_JSON:
        event = None
    told = event if isinstance(event, dict) else {}
    named = {name: told.get(name) for name in ("user_id", "source", "event_id")}
    return {name: value if isinstance(value, str) else "" for name, value in named.items()}


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
