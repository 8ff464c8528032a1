"""The what-if of a catalog that awaits an approval: the lives of the last week's users under both catalogs."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from shared.decisioning.catalog import Catalog
    from shared.queries.past_log import Logged

PERIOD = timedelta(days=7)
"""Users who had an event in this time before the newest event are replayed, with their whole lives."""


def print_what_if(
    client: "Client", before: "Catalog | None", after: "Catalog", raw: Path | None, project: str | None
) -> None:
    """Print which triggers appear, vanish or change; say so if no raw log is at hand."""
    from infra.catalog.written import write_catalog
    from infra.commands.raw_log import log_folder
    from infra.commands.whatif import whatif
    from infra.remote.stored_catalog import published_artifact

    folder = raw or (None if project else log_folder())
    lines = [*_lines(folder)] if folder else []
    if before is None or not lines:
        lack = "no catalog is in force" if before is None else "no raw log with events is at hand (--raw)"
        typer.echo(f"\nNo what-if: {lack}.")
        return
    with TemporaryDirectory(prefix="upbeat-approve-") as place:
        events = Path(place) / "events.jsonl"
        events.write_bytes(b"".join(lines))
        read = partial(published_artifact, client)
        old, new = (
            write_catalog(Path(place) / name, one, read) for name, one in (("before", before), ("after", after))
        )
        whatif(events, old, new, out=None, switch_at=None, now=None, examples=1, as_json=False)


def _lines(folder: Path) -> Iterator[bytes]:
    """The events of the last week's users as lines of a history, in the order of their publication."""
    from infra.raw.reader import messages_of
    from infra.replay.history_line import PRODUCER_TOPICS, to_line

    for message in _recent(messages_of(folder, PRODUCER_TOPICS).messages):
        delivery = message.delivery
        yield to_line(message.topic, delivery.data, delivery.attributes, message.published_at)


def _recent(messages: "Sequence[Logged]") -> "Sequence[Logged]":
    newest: datetime | None = max((each.published_at for each in messages), default=None)
    if newest is None:
        return []
    users = {_user(each) for each in messages if each.published_at > newest - PERIOD}
    return [each for each in messages if _user(each) in users]


def _user(message: "Logged") -> str:
    """The user of an event; empty if it tells none."""
    from infra.raw.subject import named_user
    from shared.queries.past_log import json_object

    return named_user(json_object(message.delivery.data), message.delivery.attributes) or ""
