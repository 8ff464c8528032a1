"""`warehouse`: load the raw log, build the models, check them, and show what they cost and mean."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.common import AsJson, print_json
from infra.terminal.help_page import Command

Where = Annotated[
    str,
    typer.Option(
        "--warehouse",
        metavar="WHERE",
        help="A file of DuckDB, or bigquery:PROJECT.DATASET?raw=DATASET.",
    ),
]
WAREHOUSE = "warehouse.duckdb"
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select", metavar="MODEL", help="Only this model, or +MODEL: with all that it reads. Repeatable."
    ),
]

warehouse = typer.Typer(
    no_args_is_help=True,
    help="Ask what happened, in SQL: load the raw log into tables, and build the models of them.",
)


@warehouse.command(cls=Command)
def load(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with raw/TOPIC.jsonl.")],
    where: Where = WAREHOUSE,
    as_json: AsJson = False,
) -> None:
    """Load a raw log into the raw tables.

    Reads DIR/raw/TOPIC.jsonl, as upbeat replay --keep-store and upbeat up write it, into the table raw_TOPIC. A
    message that the warehouse has is not added again, and a file that grew is read from where the last load ended.
    A line that is no message is counted, shown and kept in raw_unreadable. In the cloud, Pub/Sub fills the tables.

    Exit codes: 0 if all is loaded, unreadable lines or not, 2 if there is no raw log.

    For example:

        upbeat replay history.jsonl --keep-store out/history
        upbeat warehouse load out/history
        upbeat warehouse run
    """
    from infra.analytics import require

    require("sqlglot")
    from infra.analytics.warehouse.engine import open_engine
    from infra.analytics.warehouse.load import load as loaded_from
    from infra.terminal.progress import bar
    from infra.topology import load as load_topology

    topics = tuple(load_topology().topics)
    with open_engine(where) as engine, bar("Loading") as progress:
        files = loaded_from(engine, folder, topics, progress)
    for file in files:
        if as_json:
            print_json(file._asdict())
            continue
        typer.echo(
            f"{file.table}: {file.added:,} added, {file.known:,} known, {len(file.unreadable):,} unreadable"
        )
        for line in [*file.unreadable, *([file.unfinished] if file.unfinished else [])]:
            typer.echo(f"warning: {line}", err=True)


@warehouse.command(cls=Command)
def run(
    where: Where = WAREHOUSE,
    select: Select = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Compute every row again, whatever changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build the models.

    Computes what follows from the messages that landed since the last run, and replaces the days that differ. A
    late message reopens its day. A run that finds nothing new does nothing; one that was killed leaves no table
    half-written, and the next one goes on.

    For example:

        upbeat warehouse run --select +revenue
    """
    from infra.analytics import require

    require("sqlglot")
    from infra.analytics.warehouse.engine import open_engine
    from infra.analytics.warehouse.models import read_models
    from infra.analytics.warehouse.runner import run as build
    from infra.terminal.progress import bar

    models = read_models()
    with open_engine(where) as engine, bar("Building") as progress:
        for built in build(engine, models, select or (), full_refresh=full_refresh, progress=progress):
            if as_json:
                print_json({**built._asdict(), "since": _day(built.since), "days": list(map(_day, built.days))})
            else:
                typer.echo(f"{built.name}: {built.action}{_span(built.days)}")


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _span(days: Iterable[object]) -> str:
    known = [str(day) for day in days if day is not None]
    if not known:
        return ""
    return f", {len(known):,} days from {known[0]} to {known[-1]}" if len(known) > 1 else f", {known[0]}"
