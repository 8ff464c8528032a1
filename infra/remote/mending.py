"""Mends the event of a dead letter, and checks it as the function will."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from infra.errors import UsageError
from infra.remote.dead_letters import Letter
from infra.terminal.values import NO_JSON
from shared.contracts.inbound.envelope import Delivery, parse_clock, parse_event
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected


def with_fields(letter: Letter, fields: Mapping[str, Any]) -> bytes:
    """The letter's event with some fields replaced; None leaves one out.

    Raises `UsageError` if the event is no JSON object.
    """
    try:
        event = json.loads(letter.data)
    except NO_JSON:
        event = None
    if not isinstance(event, dict):
        raise UsageError("--set: expected an event that is a JSON object, found something else; use --data FILE")
    whole = {**event, **fields}
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def accepted(letter: Letter, data: bytes) -> bytes:
    """The data, if a function would accept it on the letter's topic.

    Raises `UsageError` if it would not, or if the data is the letter's own.
    """
    if data == letter.data:
        raise UsageError("expected another event, found the same: send it as it is with resend")
    try:
        parse = parse_clock if letter.topic == Topic.LIFECYCLE_CLOCK else partial(parse_event, letter.topic)
        parse(Delivery(data, dict(letter.attributes)))
    except Rejected as rejected:
        raise UsageError(f"{letter.topic}: {rejected.detail}; nothing was sent") from rejected
    return data
