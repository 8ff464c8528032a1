"""The log line of one delivery as text for people: who, what happened, what came of it, and what is wrong."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from infra.terminal import wording
from shared.contracts.inbound.envelope import EVENTS, Delivery, parse_event
from shared.domain.errors import Rejected

Entry = Mapping[str, Any]
"""A structured log line."""
STYLES = {
    "applied": "green",
    "late": "yellow",
    "dead_lettered": "bold red",
    "failed": "bold red",
}
"""The style of an outcome; others are dim."""
CHANGE, TRIGGER = "subscription-change", "upsell-trigger"
SEVERITIES = {"ERROR": "red", "CRITICAL": "bold red", "WARNING": "yellow"}
OUTCOME_WIDTH = max(map(len, STYLES))
USER_WIDTH = 12
MAX_USER = 32
"""Longer ids are cut."""
SLOW_MILLISECONDS = 1000.0


def is_idle(entry: Entry) -> bool:
    """True for the line of a tick that found nobody due: there is one every few seconds."""
    return entry.get("outcome") == "ticked" and not entry.get("due_users") and not entry.get("left")


def readable(entry: Entry) -> Text:
    """A log line: of a delivery if it has an outcome, else its message."""
    message, outcome = str(entry.get("message", "")), entry.get("outcome")
    if outcome is None:
        return Text(_printable(message), style=SEVERITIES.get(str(entry.get("severity")), ""))
    event = _event(entry)
    text = Text.assemble(
        (f"{outcome:<{OUTCOME_WIDTH}} ", STYLES.get(str(outcome), "dim")),
        (f"{_printable(_user(event)):<{USER_WIDTH}} ", "bold"),
        _printable(_what(entry, event)),
    )
    for part, style in (*_effects(entry), *_problems(entry, message)):
        text.append(f"; {_printable(part)}", style)
    return text + _timing(entry)


def _event(entry: Entry) -> Entry:
    """The JSON of the event; empty if the line has none, or none that can be read."""
    try:
        event = json.loads(entry.get("data") or "{}")
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _user(event: Entry) -> str:
    user = event.get("user_id")
    if not isinstance(user, str):
        return "-"
    return user if len(user) <= MAX_USER else f"{user[:MAX_USER]}..."


def _what(entry: Entry, event: Entry) -> str:
    """The event in words; by its topic if it is none, or if the line does not have it."""
    topic = str(entry.get("topic", ""))
    if topic in EVENTS and event:
        try:
            return wording.of_event(parse_event(topic, Delivery(str(entry["data"]).encode(), {})))
        except (Rejected, UnicodeEncodeError):
            return topic
    if entry.get("outcome") == "ticked":
        return f"users due: {entry.get('due_users', 0)}"
    return topic


def _effects(entry: Entry) -> Iterator[tuple[str, str]]:
    """The effects of the event, each with its style."""
    published = entry.get("published") or ()
    yield from ((wording.of_change(body), "cyan") for body in published if body["topic"] == CHANGE)
    for body in published:
        if body["topic"] == TRIGGER:
            yield f"{body['kind']} {wording.of_trigger(body)}", "magenta"
    before, after = entry.get("status_before"), entry.get("status_after")
    if not published and before != after:
        yield f"{before} -> {after}", "cyan"


def _problems(entry: Entry, message: str) -> Iterator[tuple[str, str]]:
    """The problems that somebody should look at, each with its style."""
    outcome = entry.get("outcome")
    if outcome in {"dead_lettered", "failed"}:
        yield message.partition(": ")[2], STYLES[str(outcome)]
    yield from ((f"ignored {each}", "yellow") for each in entry.get("unknown_fields") or ())
    yield from ((f"dropped {each}", "yellow") for each in entry.get("dropped_attributes") or ())
    if waiting := entry.get("waiting_verdicts"):
        yield f"{waiting} refunds or disputes wait for their payment", "yellow"
    if failure := entry.get("features_failure"):
        yield f"without features: {failure}", "yellow"
    if (attempt := entry.get("delivery_attempt") or 1) > 1:
        yield f"attempt {attempt}", "yellow"


def _timing(entry: Entry) -> Text:
    """The time from publication to the answer; from the request, if the clock was moved in between."""
    milliseconds = entry.get("latency_ms", -1)
    if milliseconds < 0:
        milliseconds = entry.get("duration_ms", -1)
    if milliseconds < 0:
        return Text()
    cold = ", cold start" if entry.get("cold_start") else ""
    return Text(f"  {milliseconds:.0f} ms{cold}", style="yellow" if milliseconds > SLOW_MILLISECONDS else "dim")


def _printable(text: str) -> str:
    """The text without characters that could command a terminal; line ends stay, for tracebacks."""
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)
