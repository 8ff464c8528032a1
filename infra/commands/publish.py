"""`publish`: send one event to a topic."""

import json
import sys
from typing import Annotated

import typer

from infra.commands.common import AsJson, Project, bus_of, say
from infra.errors import UsageError


def publish(
    topic: Annotated[str, typer.Argument(help="The topic, such as payment.")],
    event: Annotated[str, typer.Argument(help="The event as JSON; - reads it from standard input.")],
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", "-a", help="An attribute, as name=value; repeatable.")
    ] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Send one event to a topic, as a producer would.

    Example: python -m infra publish lifecycle-clock '{}'
    """
    from infra.topology import known, load

    known(topic, load().topics_in, "topic")
    data, attributes = _checked(event), _attributes(attribute or [])
    message_id = bus_of(project).publish(topic, data, attributes)
    say(
        f"published to {topic} as message {message_id}",
        as_json=as_json,
        facts={"topic": topic, "message_id": message_id},
    )


def _checked(event: str) -> bytes:
    """The bytes to publish, as they were given, once it is sure that they are JSON."""
    text = sys.stdin.read() if event == "-" else event
    try:
        json.loads(text)
    except ValueError as error:
        raise UsageError(f"expected the event as JSON, found something else: {error}") from error
    return text.encode()


def _attributes(pairs: list[str]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise UsageError(f"expected an attribute as name=value, found {wrong[0]!r}")
    return dict(pair.split("=", 1) for pair in pairs)
