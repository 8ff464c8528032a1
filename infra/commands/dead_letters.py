"""`dead-letters`: read, mend, send back or drop what could not be processed."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, print_json, print_result
from infra.commands.inputs import fields_of, readable
from infra.commands.letter_record import By, Why, keep_record
from infra.errors import InfraError, UsageError
from infra.terminal.help_page import Command

if TYPE_CHECKING:
    from infra.remote.dead_letters import HeldLetters, Letter

LetterId = Annotated[str, typer.Argument(metavar="LETTER", help="The letter's id, or a beginning that is unique.")]
Reason = Annotated[str | None, typer.Option(metavar="REASON", help="Only letters with this reason.")]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")]

dead_letters = typer.Typer(no_args_is_help=True, help="Read, mend, send back or drop what could not be processed.")


@dead_letters.command("list", cls=Command)
def list_(reason: Reason = None, limit: Limit = 100, project: Project = None, as_json: AsJson = False) -> None:
    """List the dead letters, with the reason and the user of each. Changes nothing.

    For example:

        upbeat dead-letters list --reason invalid
    """
    from infra.remote.letter_page import letters_page
    from infra.terminal.console import print_page

    with _held(project, reason, limit) as held:
        letters = [held.readable[message_id] for message_id in held.chosen(reason)[:limit]]
        unreadable = len(held.received) - len(held.readable)
    if as_json:
        for letter in letters:
            print_json(_facts(letter))
        return
    print_page(letters_page(letters))
    more = f", and {unreadable:,} that are not complete" if unreadable else ""
    typer.echo(f"{len(letters):,} letters{more}", err=True)


@dead_letters.command(cls=Command)
def show(letter: LetterId, project: Project = None, as_json: AsJson = False) -> None:
    """Show one letter, with the reason beside its field.

    The payload is decoded, one field a line.

    For example:

        upbeat dead-letters show 3f9a
    """
    from infra.remote.letter_page import letter_page
    from infra.terminal.console import print_page

    with _held(project) as held:
        found = held.readable[_find(held, letter)]
    if as_json:
        print_json(_facts(found))
    else:
        print_page(letter_page(found))


@dead_letters.command(cls=Command)
def edit(
    letter: LetterId,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="Set a field; VALUE as JSON, else as text. May be repeated."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take the whole event from this file.", dir_okay=False)
    ] = None,
    why: Why = "",
    by: By = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Mend a letter and send it back to its topic.

    Without --set and --data, your $EDITOR opens with the event. It is sent only if the function would accept it,
    and keeps its identity: topic, source and event_id. What was changed stays on record, without values.

    Exit codes: 0 if it was sent back, 1 if there is no such letter, 2 if the event is still not valid.

    For example:

        upbeat dead-letters edit 3f9a --set amount=499 --why "a decimal"
    """
    from infra.remote.letter_records import Action

    with _held(project) as held:
        message_id = _find(held, letter)
        found = held.readable[message_id]
        mended = _mended(found, change or [], data)
        published = held.send_back(message_id, mended)
    keep_record(project, found, Action.MENDED, by, why, published, mended)
    _tell(found, f"sent back to {found.topic} as message {published}", as_json=as_json, published=published)


@dead_letters.command(cls=Command)
def resend(
    letter: LetterId, why: Why = "", by: By = None, project: Project = None, as_json: AsJson = False
) -> None:
    """Send one letter back to its topic as it is.

    That helps once what was wrong is mended elsewhere.

    `upbeat redrive` sends all of them, or all with one reason.

    For example:

        upbeat dead-letters resend 3f9a --why "known by now"
    """
    from infra.remote.letter_records import Action

    with _held(project) as held:
        message_id = _find(held, letter)
        found = held.readable[message_id]
        published = held.send_back(message_id)
    keep_record(project, found, Action.RESENT, by, why, published)
    _tell(found, f"sent back to {found.topic} as message {published}", as_json=as_json, published=published)


@dead_letters.command(cls=Command)
def drop(
    letter: LetterId,
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record. Required.")],
    by: By = None,
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Remove one letter for good. What it was and why it went stays on record; its content does not.

    For example:

        upbeat dead-letters drop 3f9a --why "a test of the shop"
    """
    from infra.remote.letter_records import Action

    if not why.strip():
        raise UsageError("--why: expected a reason, found nothing")
    with _held(project) as held:
        message_id = _find(held, letter)
        found = held.readable[message_id]
        # On record first: a letter that is recorded twice is better than one that is gone without a word.
        keep_record(project, found, Action.DROPPED, by, why)
        held.drop(message_id)
    _tell(found, "dropped", as_json=as_json)


@dead_letters.command(cls=Command)
def history(limit: Limit = 50, project: Project = None, as_json: AsJson = False) -> None:
    """Tell what became of letters, by whom and why.

    They were mended, resent or dropped. The newest comes first.

    For example:

        upbeat dead-letters history --limit 10
    """
    from dataclasses import asdict

    from infra.remote.firestore import client_of
    from infra.remote.letter_page import records_page
    from infra.remote.letter_records import records
    from infra.terminal.console import print_page

    found = records(client_of(project), limit)
    if as_json:
        for record in found:
            print_json(asdict(record) | {"at": record.at.isoformat(), "action": record.action.value})
    else:
        print_page(records_page(found))


@contextmanager
def _held(project: str | None, reason: str | None = None, limit: float = inf) -> "Iterator[HeldLetters]":
    """The letters, held as long as the block; those that are left return to the subscription."""
    from infra.remote.dead_letters import HeldLetters
    from infra.topology import load

    with closing(bus_of(project)) as bus, HeldLetters(bus, load()) as held:
        held.fill(reason, limit)
        yield held


def _find(held: "HeldLetters", beginning: str) -> str:
    """The message of the one letter whose id begins so. Raises `InfraError` if there is none, or several."""
    found = [message_id for message_id, letter in held.readable.items() if letter.id.startswith(beginning)]
    ids = {held.readable[message_id].id for message_id in found}
    if len(ids) != 1:
        number = f"{len(ids)} letters" if ids else "none"
        raise InfraError(f"expected one letter whose id begins with {beginning!r}, found {number}")
    return found[0]


def _mended(letter: "Letter", changes: list[str], file: Path | None) -> bytes:
    """The event as it is to be sent. Raises `UsageError` if a function would refuse it, or if nothing changed."""
    import click

    from infra.remote.letter_page import payload_text
    from infra.remote.mending import accepted, with_fields

    if changes and file:
        raise UsageError("expected --set or --data, found both")
    if file:
        data = readable(file, "an event").read_bytes()
    elif changes:
        data = with_fields(letter, fields_of(changes))
    else:
        edited = click.edit(payload_text(letter), extension=".json")
        if edited is None:
            raise UsageError("expected another event, found no change: nothing was sent")
        data = edited.encode()
    return accepted(letter, data)


def _tell(letter: "Letter", what: str, *, as_json: bool, published: str | None = None) -> None:
    facts = {"letter": letter.id, "topic": letter.topic, "reason": letter.reason, "message_id": published}
    print_result(f"letter {letter.id[:12]} {what}", as_json=as_json, facts=facts)


def _facts(letter: "Letter") -> dict[str, Any]:
    from infra.remote.letter_page import payload_text
    from infra.terminal.values import NO_JSON

    try:
        payload = json.loads(letter.data)
    except NO_JSON:
        payload = payload_text(letter)
    return {
        "letter": letter.id,
        "arrived_at": letter.arrived_at and letter.arrived_at.isoformat(),
        "topic": letter.topic,
        "reason": letter.reason,
        "detail": letter.detail,
        "attributes": dict(letter.attributes),
        "payload": payload,
    }
