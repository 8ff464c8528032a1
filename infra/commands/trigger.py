"""`trigger`: publish a sample event, or let a whole story happen."""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, print_json, print_result
from infra.commands.inputs import fields_of
from infra.errors import UsageError

if TYPE_CHECKING:
    from infra.samples.samples import Sample

STORY = "story:"


def trigger(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND | story:NAME]", help="What happens, such as payment.failed.")
    ] = "",
    user: Annotated[str, typer.Option(metavar="ID", help="The user to whom it happens.")] = "ada",
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Set a field; VALUE as JSON, else as text. May be repeated."
        ),
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the event and publish nothing.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List all kinds and stories.")] = False,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Publish a sample event, or let a story happen.

    The event occurs now, by the clock of the running emulators. Its fields have plausible values. --set replaces
    them: null leaves one out, +30d or -1h is a time relative to the event. Feedback is about the newest
    offer of the user, and a refund about the newest payment, unless --set names another.

    A story publishes one event after another and moves the clock of the emulators in between: months pass in
    seconds.

    Exit codes: 0 if it was published, 1 if nothing runs or the user has no offer or payment yet, 2 for a kind or a
    field that makes no sense.

    For example:

        upbeat trigger payment.failed --user ada --set amount=499
        upbeat trigger story:trial-to-win-back --user ada
    """
    from infra.samples.samples import kinds

    if list_all or not kind:
        print_result("\n".join(kinds()), as_json=as_json, facts=[*kinds()])
        return
    fields = fields_of(change or [])
    if not kind.startswith(STORY):
        _publish(_made(kind, user, fields, project), project, only_print=only_print, as_json=as_json)
        return
    if fields or only_print or project:
        raise UsageError("expected a story alone, found --set, --print or --project: those are for single events")
    _let_happen(kind.removeprefix(STORY), user, as_json=as_json)


def _made(kind: str, user: str, fields: dict[str, Any], project: str | None) -> "Sample":
    from infra.commands.users import as_of
    from infra.samples.samples import sample
    from shared.contracts.inbound.envelope import Delivery, parse_event
    from shared.domain.errors import Rejected

    made = sample(kind, user, as_of(None, None, project), fields)
    if made.asks:
        made.data[made.asks] = _of_history(made.asks, user, project)
    try:
        parse_event(made.topic, Delivery(json.dumps(made.data).encode(), {}))
    except Rejected as rejected:
        raise UsageError(f"{made.topic}: {rejected.detail}") from rejected
    return made


def _of_history(field: str, user: str, project: str | None) -> str:
    """The id of the user's newest offer or payment. Raises `InfraError` if there is none."""
    from infra.commands.users import record_of
    from infra.errors import InfraError

    record = record_of(user, None, project)
    if field == "trigger_id":
        found = max(record.triggers, key=lambda each: each.decided_at, default=None)
        value = found and found.trigger_id
    else:
        paid = record.history.head.best.current
        value = paid and paid.payment_id
    if not value:
        what = "an offer" if field == "trigger_id" else "a payment with an id"
        raise InfraError(f"expected {what} of user {user!r}, found none; name one with --set {field}=ID")
    return str(value)


def _publish(made: "Sample", project: str | None, *, only_print: bool, as_json: bool) -> None:
    if only_print:
        print_result(
            json.dumps(made.data, indent=2), as_json=as_json, facts={"topic": made.topic, "data": made.data}
        )
        return
    with closing(bus_of(project)) as bus:
        message_id = bus.publish(made.topic, json.dumps(made.data).encode())
    facts = {"topic": made.topic, "message_id": message_id, "data": made.data}
    text = f"published {made.data['event_id']} to {made.topic} as message {message_id}"
    print_result(text, as_json=as_json, facts=facts)


def _let_happen(name: str, user: str, *, as_json: bool) -> None:
    from infra.remote.clock import RunningClock
    from infra.remote.firestore import emulator_client
    from infra.remote.passing_time import applied, pass_time
    from infra.remote.pubsub import Bus
    from infra.remote.running import find, state_folder
    from infra.samples.samples import story

    told, running, clock = story(name), find(), RunningClock(state_folder())
    client = emulator_client(running.endpoints)
    if not as_json:
        typer.echo(told.about)
    with closing(Bus.of_emulator(running.endpoints)) as bus:
        for step in told.steps:
            if step.after:
                pass_time(clock, client, bus, clock.now() + step.after)
            fields = {}
            if step.kind:
                made = _made(step.kind, user, dict(step.fields), None)
                with applied(client, user):
                    bus.publish(made.topic, json.dumps(made.data).encode())
                fields = {"topic": made.topic, "data": made.data}
            now = f"{clock.now():%Y-%m-%d %H:%M}"
            if as_json:
                print_json({"now": now, "kind": step.kind, **fields})
            else:
                typer.echo(f"{now}  {step.kind or 'nothing happens'}")
