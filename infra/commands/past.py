"""The past of one user's document: by the raw log if there is one, else by the ring of recent events."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.users import store_folder
from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from shared.domain.terms import Terms
    from shared.queries.past import Past
    from shared.record.user_record import UserRecord

Raw = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="The raw log, for the past; default: beside the store, or that of the emulators."
    ),
]


def raw_log(raw: Path | None, store: Path | None, project: str | None) -> Path | None:
    """The folder of the raw log: the given one, else where replay or up wrote it; None if there is none.

    Raises `UsageError` if the given one is no raw log.
    """
    from infra.raw.folder import RAW
    from infra.remote.running import state_folder

    if raw:
        if not any(raw.glob("*.jsonl")):
            raise UsageError(f"{raw}: expected the folder of a raw log (TOPIC.jsonl), found no such files")
        return raw
    if project:
        return None
    beside = store_folder(store) if store else state_folder()
    return beside / RAW if (beside / RAW).is_dir() else None


def past_of(record: "UserRecord", at: datetime, terms: "Terms", log: Path | None) -> "Past | None":
    """The document at an instant (UTC) that was asked for; None if it has not changed since: it tells it itself.

    `log` is the folder of a raw log. Raises `InfraError` if nothing tells that past.
    """
    from infra.terminal.wording import of_value
    from shared.queries.past import from_ring, is_past, ring_begins

    if not is_past(record, at):
        return None
    past = (_from_log(record, at, terms, log) if log else None) or from_ring(record, at, terms)
    if past:
        return past
    begins = of_value(ring_begins(record))
    other = f"the raw log in {log} lacks messages about the user" if log else "there is no raw log (--raw)"
    raise InfraError(
        f"what {record.user_id!r} was at {of_value(at)} UTC is not known: the document tells only what was from"
        f" {begins} UTC on, and {other}"
    )


def _from_log(record: "UserRecord", at: datetime, terms: "Terms", log: Path) -> "Past | None":
    """The past by the raw log, if it is whole. Lines that cannot be read are told on standard error."""
    from infra.raw.reader import messages_about
    from shared.queries.past_log import from_log

    try:
        found = messages_about(log, record.user_id)
    except OSError as error:
        raise InfraError(f"{log}: expected a raw log, found a file that cannot be read: {error}") from error
    for problem in found.unreadable:
        typer.echo(f"skipped {problem}", err=True)
    return from_log(record, found.messages, at, terms)
