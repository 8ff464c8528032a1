"""`features`: export what the warehouse knows of users to where decisions read it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import WAREHOUSE, AsJson, Where, print_result
from infra.commands.inputs import writing_into
from infra.errors import UsageError
from infra.terminal.help_page import Command

if TYPE_CHECKING:
    from infra.analytics.features.changes import Outcome

Table = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The Bigtable table, projects/PROJECT/instances/INSTANCE/tables/TABLE."),
]
Only = Annotated[
    list[str] | None, typer.Option(metavar="FEATURE", help="Export this feature; repeatable; default: all.")
]
ConfirmHours = Annotated[
    int, typer.Option(min=1, max=8760, metavar="HOURS", help="Write unchanged rows again after this time.")
]

features = typer.Typer(no_args_is_help=True, help="Bring features of the warehouse back to decisions.")


@features.command(cls=Command)
def export(
    where: Where = WAREHOUSE,
    table: Table = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all rows into a file for upbeat replay instead.")
    ] = None,
    only: Only = None,
    confirm_hours: ConfirmHours = 24,
    everything: Annotated[
        bool, typer.Option("--all", help="Write all rows: for a table that was made anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be written and deleted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export user_features to Bigtable, or into a file.

    Writes the rows of which a feature changed since the last export, and those that were not written for
    --confirm-hours, so that functions do not take them for stale. Deletes what disappeared, but only what an
    export wrote. The warehouse's table features_exported remembers what was written. Without --warehouse, the
    warehouse is warehouse.duckdb; with BIGTABLE_EMULATOR_HOST, the table is the emulator's.

    A feature that counts days changes for all users each day: leave it out with --only, unless a catalog needs it.

    Exit codes: 0 if all is exported, 1 if the warehouse has no rows or Bigtable fails, 2 if an option is wrong.

    For example:

        upbeat features export --table projects/P/instances/I/tables/T
        upbeat features export --file features.jsonl
    """
    from datetime import UTC, datetime, timedelta

    from infra.analytics import require

    if (table is None) == (file is None):
        raise UsageError("expected either --table or --file, found " + ("neither" if table is None else "both"))
    if dry_run and file:
        raise UsageError("--dry-run: expected it with --table, as a file is written whole, found it with --file")
    require("sqlglot", *(["google.cloud.bigtable"] if table else []))
    from infra.analytics.features.changes import Changes
    from infra.analytics.features.export import export as run
    from infra.analytics.features.export import plan, write_file
    from infra.analytics.warehouse.engine import open_engine
    from infra.terminal.progress import bar, spinner

    now = datetime.now(UTC)
    with open_engine(where) as engine:
        changes = Changes(engine, timedelta(hours=confirm_hours), only or (), everything=everything)
        if dry_run:
            with spinner("comparing with what was exported"):
                done = plan(changes, now)
        elif file:
            with writing_into(file.parent), spinner("exporting"):
                done = write_file(changes, file)
        else:
            from infra.analytics.features.table import FeatureTable

            with bar("exporting") as progress:
                done = run(changes, FeatureTable.at(table or ""), now, progress)
    print_result(_text(done, dry_run=dry_run), as_json=as_json, facts=done._asdict() | {"dry_run": dry_run})


@features.command(cls=Command)
def statement(
    table: Annotated[
        str, typer.Option(metavar="NAME", help="The table, projects/PROJECT/instances/INSTANCE/tables/TABLE.")
    ],
    where: Where = WAREHOUSE,
    only: Only = None,
    confirm_hours: ConfirmHours = 24,
    as_json: AsJson = False,
) -> None:
    """Print the export as a script for BigQuery.

    In the script BigQuery itself writes to Bigtable (EXPORT DATA), so that the number of users does not matter. It
    needs BigQuery's edition Enterprise. It writes the same rows as upbeat features export, which deletes what
    disappeared when it runs next.

    For example:

        upbeat features statement --table projects/P/instances/I/tables/T
    """
    from datetime import timedelta

    from infra.analytics import require

    require("sqlglot")
    from infra.analytics.features.changes import Changes
    from infra.analytics.features.statement import export_script
    from infra.analytics.warehouse.engine import open_engine

    with open_engine(where) as engine:
        changes = Changes(engine, timedelta(hours=confirm_hours), only or ())
    script = export_script(changes.queries, changes.features, table)
    print_result(script.rstrip(), as_json=as_json, facts={"script": script})


def _text(done: "Outcome", *, dry_run: bool) -> str:
    written, deleted = ("would be written", "would be deleted") if dry_run else ("written", "deleted")
    return (
        f"{done.rows:,} rows of {len(done.features)} features: {done.written:,} {written}, "
        f"{done.unchanged:,} unchanged, {done.deleted:,} {deleted}"
    )
