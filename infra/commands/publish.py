"""`publish`: send one event to a topic."""

import json
import sys
from typing import Annotated

import typer

from infra.commands.common import AsJson, Project, bus_of, print_json, print_result
from infra.errors import UsageError


def publish(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="An incoming topic, such as payment.")],
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event as JSON; - reads standard input.")],
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", "-a", metavar="NAME=VALUE", help="A message attribute; may be repeated."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only tell what would become of the event; publish nothing.")
    ] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Publish one event to a topic, as a producer would.

    Sends the bytes as given to the running emulators, or to a cloud project, and prints the message's id. The
    event must be JSON. The function validates its fields: an invalid event ends as a dead letter.

    With --check, validates the event here, as the function does, and publishes nothing: nothing needs to run.
    Prints the event as it is understood, the fields that are ignored with those that they most likely mean, and
    every reason for which the event would be refused. Exits with 1 if it would be.

    For example:

        upbeat publish lifecycle-clock '{}'
        upbeat publish payment - --check < payment.json
        upbeat publish payment - --attribute source=shop < payment.json
    """
    from infra.topology import known, load

    known(topic, load().topics_in, "topic")
    data, attributes = _data(event), _attributes(attribute or [])
    if check:
        _check(topic, data, attributes, project, as_json=as_json)
        return
    _require_json(data)
    message_id = bus_of(project).publish(topic, data, attributes)
    print_result(
        f"published to {topic} as message {message_id}",
        as_json=as_json,
        facts={"topic": topic, "message_id": message_id},
    )


def _check(topic: str, data: bytes, attributes: dict[str, str], project: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from infra.commands.inputs import deployment_terms
    from infra.commands.users import as_of
    from infra.remote.event_check import check_event
    from infra.remote.event_check_page import page
    from infra.terminal.console import print_page
    from shared.contracts.inbound.envelope import Delivery

    now, skew = as_of(None, None, project), deployment_terms().clock_skew
    checked = check_event(topic, Delivery(data, attributes), now, skew)
    if as_json:
        print_json({"accepted": checked.reason is None, **asdict(checked)})
    else:
        print_page(page(checked))
    raise typer.Exit(1 if checked.reason else 0)


def _data(event: str) -> bytes:
    """The bytes to publish, as they are given."""
    return sys.stdin.buffer.read() if event == "-" else event.encode(errors="surrogateescape")


def _require_json(data: bytes) -> None:
    """Raise `UsageError` unless the data is JSON."""
    try:
        json.loads(data)
    except ValueError as error:
        raise UsageError(f"expected the event as JSON, found something else: {error}") from error


def _attributes(pairs: list[str]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise UsageError(f"expected an attribute as name=value, found {wrong[0]!r}")
    return dict(pair.split("=", 1) for pair in pairs)
