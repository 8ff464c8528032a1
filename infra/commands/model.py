"""`model`: a score as SQL, its drift, and BigQuery ML as a second way to train it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.commands.common import AsJson, print_result
from infra.commands.inputs import readable, writing_into
from infra.errors import UsageError
from infra.terminal.help_page import Command

Score = Annotated[str, typer.Argument(metavar="SCORE", help="A shipped score as NAME@VERSION, or a path.")]
Source = Annotated[str, typer.Option("--from", metavar="TABLE", help="The table with a column for each feature.")]
Keys = Annotated[list[str] | None, typer.Option("--key", metavar="COLUMN", help="Give this too. Repeatable.")]
InContext = Annotated[bool, typer.Option("--context", help="The features are in its column context, as JSON.")]
Label = Annotated[str | None, typer.Option(metavar="COLUMN", help="The label in the rows of now, if known.")]
Positive = Annotated[str | None, typer.Option(metavar="VALUE", help="The value of the label that counts as true.")]
AtMost = Annotated[float, typer.Option(metavar="PSI", min=0, help="The largest index that is no drift.")]
LargestError = Annotated[
    float, typer.Option("--error", metavar="SHARE", min=0, help="The largest calibration error that is none.")
]
BigQueryModel = Annotated[str, typer.Option("--model", metavar="NAME", help="The model: DATASET.NAME.")]

model = typer.Typer(no_args_is_help=True, help="Write a score as SQL, measure drift, train in BigQuery ML.")


@model.command(cls=Command)
def sql(
    score: Score,
    source: Source,
    keys: Keys = None,
    context: InContext = False,
    as_json: AsJson = False,
) -> None:
    """Print the query that scores every row of a table.

    It is in the portable subset of BigQuery's SQL, and answers as the functions do: NULL where they have no score.
    A feature's column is named like it, with _ for each dot.

    For example:

        upbeat model sql churn_risk@1 --from users --key user_id
    """
    from infra.analytics.artifacts import find_score
    from infra.analytics.training.score_sql import column, in_context, score_sql

    columns = in_context if context else column
    query = score_sql(find_score(score, "SCORE"), source, keys or ["user_id"], columns)
    print_result(query, as_json=as_json, facts={"sql": query})


@model.command(cls=Command)
def drift(
    score: Score,
    before: Annotated[Path, typer.Option(metavar="FILE", help="The rows of then: those of the training.")],
    now: Annotated[Path, typer.Option(metavar="FILE", help="The rows of now.")],
    label: Label = None,
    positive: Positive = None,
    at_most: AtMost = 0.25,
    error: LargestError = 0.05,
    as_json: AsJson = False,
) -> None:
    """Tell how far a score and its features have moved.

    Prints the population stability index of the score and of each feature: below 0.1 nothing happened, from 0.25
    on the users are others than those of the training. With a label, also how well the score holds now.

    Exit codes: 0 if nothing drifted, 1 if an index or the calibration error is too large, 2 if a table or the
    score cannot be read.

    For example:

        upbeat model drift churn.1.json --before trained.csv --now march.csv
    """
    from infra.analytics import require

    require("duckdb", "numpy", "sqlglot")
    from infra.analytics.artifacts import find_score
    from infra.analytics.training.dataset import Roles
    from infra.analytics.training.drift_of_tables import drift_of_tables
    from infra.terminal.progress import spinner

    roles = Roles(label, positive) if label else None
    tables = readable(before, "a table"), readable(now, "a table")
    with spinner("scoring the rows"):
        moved, held = drift_of_tables(find_score(score, "SCORE"), *tables, roles)
    drifted = [one.measure for one in moved if one.psi > at_most]
    drifted += ["calibration"] if held and held.error > error else []
    lines = [f"{'PSI':>8}{'missing then':>14}{'now':>8}  measure"]
    lines += [f"{one.psi:8.4f}{one.missing_before:14.1%}{one.missing_now:8.1%}  {one.measure}" for one in moved]
    if held:
        shares = f"predicted {held.predicted:.3f}, observed {held.observed:.3f}"
        lines.append(f"calibration now: {shares} in {held.rows:,} rows, error {held.error:.3f}")
    lines.append(f"drifted: {', '.join(drifted)}" if drifted else "nothing drifted")
    facts = {
        "measures": [one._asdict() for one in moved],
        "calibration": held and held._asdict(),
        "drifted": drifted,
    }
    print_result("\n".join(lines), as_json=as_json, facts=facts)
    if drifted:
        raise typer.Exit(1)


@model.command("drift-sql", cls=Command)
def drift_sql(
    score: Score,
    label: Annotated[
        str | None, typer.Option(metavar="LABEL", help="What the score foretells, as in no-payment:60d.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the query for drift between decisions of two periods.

    It reads stg_decision of the warehouse, in portable SQL, between the dates @before_from, @before_to, @now_from
    and @now_to. With a label a second query gives the calibration by what happened after the decisions.

    For example:

        upbeat model drift-sql churn_risk@1 --label no-payment:60d
    """
    from infra.analytics.artifacts import find_score
    from infra.analytics.training.drift import calibration_sql, drift_sql
    from infra.analytics.training.drift_of_decisions import of_decisions
    from infra.analytics.training.outcomes import parse_outcome
    from infra.analytics.training.score_sql import in_context

    asked = find_score(score, "SCORE")
    queries = {"drift": drift_sql(asked, of_decisions(asked), in_context)}
    if label:
        queries["calibration"] = calibration_sql(of_decisions(asked, parse_outcome(label)))
    print_result(";\n\n".join(query.rstrip() for query in queries.values()), as_json=as_json, facts=queries)


@model.command("bigquery-ml", cls=Command)
def bigquery_ml(score: Score, source: Source, name: BigQueryModel, as_json: AsJson = False) -> None:
    """Print the statements that train a score in BigQuery ML.

    The first creates the model, with the same hinges in its TRANSFORM; the table needs a column label of 0 and 1.
    The second reads the weights: save its rows as JSON, one a line, for upbeat model from-weights.

    For example:

        upbeat model bigquery-ml churn.1.json --from d.users --model d.churn
    """
    from infra.analytics import require

    require("numpy", "sklearn")
    from infra.analytics.artifacts import find_score
    from infra.analytics.training.bigquery_ml import create_model, terms_of, weights_query

    terms = terms_of(find_score(score, "SCORE"))
    statements = {"create": create_model(terms, name, source), "weights": weights_query(name)}
    text = "\n".join(f"{statement.rstrip()};" for statement in statements.values())
    print_result(text, as_json=as_json, facts=statements)


@model.command("from-weights", cls=Command)
def from_weights(
    score: Score,
    weights: Annotated[Path, typer.Argument(metavar="FILE", help="The rows of ML.WEIGHTS as JSON, one a line.")],
    version: Annotated[int, typer.Option(metavar="N", min=1, help="The version of the new artifact.")],
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="The number of its training rows.")],
    on: Annotated[str, typer.Option("--on", metavar="TEXT", help="The data it was trained on.")] = "BigQuery",
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write; default: here.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write the artifact of weights that BigQuery ML has trained.

    SCORE is the one whose hinges upbeat model bigquery-ml wrote into the model. Compare some of its scores with
    ML.PREDICT before it is published.

    For example:

        upbeat model from-weights churn.1.json w.jsonl --version 2 --rows 90000
    """
    from infra.analytics import require

    require("numpy", "sklearn")
    from infra.analytics.artifacts import find_score
    from infra.analytics.training.bigquery_ml import content_of_weights, terms_of

    before = find_score(score, "SCORE")
    content = content_of_weights(_json_lines(readable(weights, "the rows of ML.WEIGHTS")), terms_of(before))
    trained = {
        "on": on,
        "at": datetime.now(UTC).date().isoformat(),
        "rows": rows,
        "how": "BigQuery ML, LOGISTIC_REG",
    }
    head = {"name": before.name, "version": version, "kind": content.pop("kind")}
    artifact = {**head, "description": before.artifact.description, "trained": trained, **content}
    file = out / f"{before.name}.{version}.json"
    if file.exists():
        raise UsageError(f"{file}: expected a version that is new, found another artifact")
    with writing_into(out):
        file.write_text(json.dumps(artifact, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print_result(f"wrote {file}", as_json=as_json, facts={"file": str(file)})


def _json_lines(file: Path) -> list[dict[str, object]]:
    try:
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except ValueError:
        raise UsageError(f"{file}: expected JSON objects, one a line, found something else") from None
    if not all(isinstance(row, dict) for row in found):
        raise UsageError(f"{file}: expected JSON objects, one a line, found something else")
    return found
