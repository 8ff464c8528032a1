"""`warehouse`: load the raw log, build the models, check them, and show what they cost and mean."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.commands.common import WAREHOUSE, AsJson, Where, print_json, print_result
from infra.terminal.help_page import Command

PLAIN = (str, int, float, bool, type(None))
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select", metavar="MODEL", help="Only this model, or +MODEL: with all that it reads. Repeatable."
    ),
]

warehouse = typer.Typer(
    no_args_is_help=True,
    help="Load the raw log, and build and check models of it.",
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

        upbeat warehouse load out/history && upbeat warehouse run
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
            facts = {**built._asdict(), "since": _day(built.since), "days": list(map(_day, built.days))}
            text = f"{built.name}: {built.action}{_span(built.days)}"
            print_result(text, as_json=as_json, facts=facts)


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _span(days: Iterable[object]) -> str:
    known = [str(day) for day in days if day is not None]
    if not known:
        return ""
    return f", {len(known):,} days from {known[0]} to {known[-1]}" if len(known) > 1 else f", {known[0]}"


@warehouse.command(cls=Command)
def check(
    where: Where = WAREHOUSE,
    now: Annotated[
        str | None, typer.Option("--now", metavar="TIME", help="Check as of this time (UTC); default: the clock.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Check the partitions of so many days; default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check what must hold of the models.

    Each assertion is a query whose rows are failures: keys are unique, columns have values, and these are among
    the accepted ones or in the model that they refer to, models are fresh, and as large as usual. A history that
    was replayed ended long ago: --now tells when.

    Exit codes: 0 if all holds, 1 if there is a failure, or something else fails.

    For example:

        upbeat warehouse check --now 2026-03-01T00:00:00Z
    """
    from datetime import UTC, datetime

    from infra.analytics import require
    from infra.commands.inputs import instant

    require("sqlglot")
    from infra.analytics.warehouse.checks import check as outcomes
    from infra.analytics.warehouse.checks import days_before, read_assertions
    from infra.analytics.warehouse.engine import open_engine
    from infra.analytics.warehouse.models import read_models
    from infra.terminal.progress import bar

    at = instant("--now", now) or datetime.now(UTC)
    assertions = read_assertions(read_models())
    failed = 0
    with open_engine(where) as engine, bar("checking") as progress:
        for number, outcome in enumerate(outcomes(engine, assertions, at, days_before(at, days)), 1):
            progress(number / len(assertions))
            failed += not outcome.holds
            rows = [_plain(row) for row in outcome.failures]
            if as_json:
                told = {"name": outcome.name, "holds": outcome.holds, "expected": outcome.expected}
                print_json(told | {"failures": rows})
            elif not outcome.holds:
                lines = ("    " + "  ".join(f"{name}={value}" for name, value in row.items()) for row in rows)
                print(f"{outcome.name}: expected: {outcome.expected} Found:", *lines, sep="\n", flush=True)
    typer.echo(f"{len(assertions):,} assertions: {failed:,} failed", err=True)
    if failed:
        raise typer.Exit(1)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with text for what JSON has no type for."""
    return {name: value if isinstance(value, PLAIN) else str(value) for name, value in row.items()}


@warehouse.command(cls=Command)
def cost(where: Where = WAREHOUSE, select: Select = None, as_json: AsJson = False) -> None:
    """Show the bytes that each model would read.

    On BigQuery, what a dry run of the whole model says it would be billed for; it costs nothing. On DuckDB, the
    sizes of the tables that the model reads. A run of an incremental model reads less: the days that changed.

    For example:

        upbeat warehouse cost --warehouse 'bigquery:ID.upbeat_models?raw=upbeat'
    """
    from infra.analytics import require

    require("sqlglot")
    from infra.analytics.warehouse.engine import open_engine
    from infra.analytics.warehouse.models import chosen, read_models, stored_inputs
    from infra.analytics.warehouse.runner import FIRST_DAY
    from infra.terminal.progress import bar

    models = read_models()
    total = 0
    with open_engine(where) as engine, bar("asking") as progress:
        asked = chosen(models, select or ())
        for number, model in enumerate(asked.values(), 1):
            progress(number / len(asked))
            size = engine.scanned(model.sql, stored_inputs(model.name, models), since=FIRST_DAY)
            total += size
            print_result(
                f"{size / 1e6:14,.1f} MB  {model.name}",
                as_json=as_json,
                facts={"model": model.name, "bytes": size},
            )
    if not as_json:
        typer.echo(f"{total / 1e6:14,.1f} MB  in all")


@warehouse.command(cls=Command)
def docs(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page, in Markdown.", dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Write a page about all models.

    Each with what it is, how it is stored, what it reads and what reads it, its columns and its assertions.

    For example:

        upbeat warehouse docs --out docs/models.md
    """
    from infra.analytics import require
    from infra.commands.inputs import writing_into

    require("sqlglot")
    from infra.analytics.warehouse.docs_page import page
    from infra.analytics.warehouse.models import read_models

    models = read_models()
    with writing_into(out):
        out.write_text(page(models), encoding="utf-8")
    facts = {"file": str(out), "models": list(models)}
    print_result(f"{out}: {len(models):,} models", as_json=as_json, facts=facts)
