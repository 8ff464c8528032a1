"""`trigger`: publish a sample event, or let a whole story happen."""

import json
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, print_json, print_result
from infra.commands.inputs import fields_of
from infra.errors import UsageError

if TYPE_CHECKING:
    from infra.samples.samples import Sample, Step

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
    from infra.commands.users import as_of, record_of
    from infra.remote.happening import completed
    from infra.samples.samples import sample

    made = sample(kind, user, as_of(None, None, project), fields)
    return completed(made, lambda user_id: record_of(user_id, None, project))


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
    from infra.commands.users import record_of
    from infra.remote.clock import RunningClock
    from infra.remote.firestore import emulator_client
    from infra.remote.happening import Stage, let_happen
    from infra.remote.pubsub import Bus
    from infra.remote.running import find, state_folder
    from infra.samples.samples import story

    told, running, clock = story(name), find(), RunningClock(state_folder())
    client = emulator_client(running.endpoints)

    def tell(step: "Step", made: "Sample | None") -> None:
        now = f"{clock.now():%Y-%m-%d %H:%M}"
        if as_json:
            print_json(
                {"now": now, "kind": step.kind, **({"topic": made.topic, "data": made.data} if made else {})}
            )
        else:
            typer.echo(f"{now}  {step.kind or 'nothing happens'}")

    if not as_json:
        typer.echo(told.about)
    with closing(Bus.of_emulator(running.endpoints)) as bus:
        let_happen(told, user, Stage(clock, client, bus, lambda user_id: record_of(user_id, None, None)), tell)
