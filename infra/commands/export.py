"""`export`: everything that is known about a user, for the user."""

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, FeaturesTable, Project, bus_of, opened_features, print_json
from infra.commands.inputs import deployment_terms, writing_into
from infra.commands.known_user import Asked, KnownUser, known_user
from infra.commands.raw_log import Raw, place_of_raw_log
from infra.commands.users import Store, UserId, place_of

if TYPE_CHECKING:
    from infra.privacy.known_data import BesideDocument


def export(
    user: UserId,
    store: Store = None,
    project: Project = None,
    raw: Raw = None,
    features: FeaturesTable = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it into this file.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is known about a user as JSON.

    Has the user's document in readable form, with signals, profile and requests; every event with what became of
    it, rejected ones included; every decision, trigger, change, exposure and feedback; dead letters that wait;
    what is kept for e-mail; and with --features what the warehouse computed. Says what was read and where, what
    was not read and why, and what is known to be missing.

    Reads the running emulators, a cloud project, or what replay --keep-store kept, and the raw log as upbeat show
    does. Changes nothing. Rejected events are in it byte for byte, with whatever the producer put in.

    Exit codes: 0 if it is written, 1 if nobody knows the user, or the user was erased, 2 if an option is wrong.

    For example:

        upbeat export ada --project my-project --out ada.json
        upbeat export ada --store /tmp/tour
    """
    import orjson

    from infra.privacy.known_data import Sources, known_data

    known = known_user(Asked(user, store, project, None, raw), None)
    beside, read, not_read = _beside_document(user, store, project, features, known.now)
    log = place_of_raw_log(raw, store, project)
    if known.life.has_log:
        read["messages"] = log
    else:
        not_read["messages"] = "no raw log"
    record = known.record if known.life.has_document else None
    if record:
        read["document"] = place_of(store, project)
    data = known_data(record, known.life, beside, Sources(read, not_read), known.now, known.terms)
    if out:
        with writing_into(out.parent):
            out.write_bytes(orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        typer.echo(f"{user}: {_counts(known)} written to {out}", err=True)
    elif as_json:
        print_json(data)
    else:
        typer.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def _counts(known: KnownUser) -> str:
    entries = len(known.life.entries)
    return "1 entry" if entries == 1 else f"{entries:,} entries"


def _beside_document(
    user: str, store: Path | None, project: str | None, table: str | None, now: datetime
) -> "tuple[BesideDocument, dict[str, str], dict[str, str]]":
    """The data beside the document, with the sources that were read and those that were not."""
    from infra.privacy.known_data import BesideDocument, email_documents, waiting_letter

    read, not_read, values = dict[str, str](), dict[str, str](), dict[str, Any]()
    if table:
        values, read["features"] = opened_features(table).read(user), table
    else:
        not_read["features"] = "no --features"
    if store:
        reason = "a store has none"
        return BesideDocument(features=values), read, not_read | {"dead_letters_waiting": reason, "email": reason}
    from infra.privacy.running import RunningUpbeat
    from infra.raw.erased import Erased
    from infra.remote.firestore import client_of
    from infra.topology import load

    topology = load()
    with closing(bus_of(project)) as bus:
        running = RunningUpbeat(client_of(project), bus, topology, deployment_terms())
        waiting = running.letters(Erased.whole(user, now))
        email = email_documents(running.documents(user))
    read |= {"dead_letters_waiting": topology.dead_letter.subscription, "email": place_of(None, project)}
    letters = tuple(waiting_letter(each, topology) for each in waiting)
    return BesideDocument(letters, email, values), read, not_read
