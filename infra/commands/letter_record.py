"""The record of what a person does with a dead letter, and the options that it takes."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.terminal.user_name import user_name

if TYPE_CHECKING:
    from infra.remote.dead_letters import Letter
    from infra.remote.letter_records import Action

Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who, for the record; default: you.")]


def keep_record(
    project: str | None, letter: "Letter", action: "Action", by: str | None, why: str, *more: Any
) -> None:
    """Keep on record what was done with a letter; `more` is what `record_of` takes besides."""
    from infra.remote.firestore import client_of
    from infra.remote.letter_records import keep, record_of

    keep(client_of(project), record_of(letter, action, datetime.now(UTC), by or user_name(), why, *more))
