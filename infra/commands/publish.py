"""`publish`: send one event to a topic."""

import json
import sys
from typing import Annotated

import typer

from infra.commands.common import AsJson, Project, bus_of, print_result
from infra.errors import UsageError


def publish(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="An incoming topic, such as payment.")],
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event as JSON; - reads standard input.")],
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", "-a", metavar="NAME=VALUE", help="A message attribute; may be repeated."),
    ] = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Publish one event to a topic, as a producer would.

    Sends the bytes as given to the running emulators, or to a cloud project, and prints the message's id. The
    event must be JSON. The function validates its fields: an invalid event ends as a dead letter.

    For example:

        upbeat publish lifecycle-clock '{}'
        upbeat publish payment - --attribute source=shop < payment.json
    """
    from infra.topology import known, load

    known(topic, load().topics_in, "topic")
    data, attributes = _checked(event), _attributes(attribute or [])
    message_id = bus_of(project).publish(topic, data, attributes)
    print_result(
        f"published to {topic} as message {message_id}",
        as_json=as_json,
        facts={"topic": topic, "message_id": message_id},
    )


def _checked(event: str) -> bytes:
    """The bytes to publish, unchanged. Raises `UsageError` unless they are JSON."""
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
