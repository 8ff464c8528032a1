"""`score`: evaluate a score on every row of a file, as the functions would."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from infra.commands.common import AsJson
from infra.commands.inputs import readable, writing_into
from infra.errors import UsageError

if TYPE_CHECKING:
    from shared.decisioning.scoring.score import Scored


def score(
    file: Annotated[
        Path,
        typer.Argument(metavar="ROWS", help="The rows: a .csv whose first line names the columns, or a .jsonl."),
    ],
    model: Annotated[
        str,
        typer.Option("--model", metavar="SCORE", help="A shipped score as NAME@VERSION, or an artifact's path."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the lines to this file.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a score on every row of a file.

    Uses the evaluator of the functions. Prints one line per row: its number, and its score or the reason why it
    has none. Warnings and counts go to standard error.

    Columns are named after the features of the score; other columns and blank lines are ignored. In CSV an empty
    cell is a missing value, true and false are booleans, text that looks like a number is a number, and anything
    else is text. JSONL keeps its types, and may nest objects.

    Exit codes: 0 if every row has a score, 1 if any row has none, 2 if the rows or the score cannot be read.

    For example:

        upbeat score users.csv --model churn_risk@1
    """
    from infra.analytics.artifacts import find_score
    from infra.analytics.batch_scores import RowCounts, score_rows
    from infra.analytics.tables import rows
    from infra.terminal.progress import spinner

    chosen, found_rows = find_score(model), rows(readable(file, "rows to score"))
    if out and out.exists() and out.samefile(file):
        raise UsageError(f"--out: expected another file than the rows, found {str(out)!r}")
    tally = RowCounts(unseen=set(chosen.features))
    # Lines on a terminal are progress enough.
    shown = spinner(f"scoring {file}") if out or not sys.stdout.isatty() else nullcontext()
    with _lines(out) as lines, shown:
        for number, scored in enumerate(score_rows(chosen, found_rows, tally), 1):
            lines.write(_line(number, scored, as_json=as_json))
    for feature in sorted(tally.unseen) if tally.rows else ():
        typer.echo(f"warning: no row has {feature}, so it is missing in all", err=True)
    typer.echo(f"{tally.rows:,} rows: {tally.rows - tally.failed:,} scored, {tally.failed:,} not", err=True)
    if tally.failed:
        raise typer.Exit(1)


def _line(number: int, scored: "Scored", *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"row": number, "score": scored.value, "error": scored.error}) + "\n"
    return f"{number}\t{scored.error if scored.value is None else format(scored.value, '.6f')}\n"


@contextmanager
def _lines(out: Path | None) -> Iterator[TextIO]:
    """The stream for the lines: a file, or standard output if `out` is None."""
    if out is None:
        yield sys.stdout
        return
    with writing_into(out), out.open("w", encoding="utf-8") as file:
        yield file
