"""`score`: ask a score about every row of a file, as the functions would."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
        Path, typer.Argument(help="The rows: a .csv whose first line names the columns, or a .jsonl.")
    ],
    model: Annotated[
        str, typer.Option("--model", help="The score: a shipped one as NAME@VERSION, or the path of an artifact.")
    ],
    out: Annotated[Path | None, typer.Option(help="Write the lines to this file.", dir_okay=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Score every row of a file with the evaluator of the functions: one line a row, with the score or why none.

    Columns are named like the facts that the score asks for; others are ignored, and so are blank lines. In CSV an
    empty cell is missing, true and false are booleans, what looks like a number is one, and all else is text.
    It exits with 1 if any row has no score.

    Example: python -m infra score users.csv --model churn_risk@1
    """
    from infra.analytics.batch_scores import RowCounts, find_score, rows, score_rows

    asked, known = find_score(model), rows(readable(file, "rows to score"))
    if out and out.exists() and out.samefile(file):
        raise UsageError(f"--out: expected another file than the rows, found {str(out)!r}")
    tally = RowCounts(unseen=set(asked.features))
    with _lines(out) as lines:
        for number, scored in enumerate(score_rows(asked, known, tally), 1):
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
    """Where the lines go: to standard output, or to a file."""
    if out is None:
        yield sys.stdout
        return
    with writing_into(out), out.open("w", encoding="utf-8") as file:
        yield file
