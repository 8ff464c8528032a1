"""`train`: train a score on a table, or on the raw log of what happened."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, print_result
from infra.commands.inputs import deployment_terms, readable, valid_catalog, writing_into
from infra.errors import UsageError

if TYPE_CHECKING:
    from infra.analytics.training.dataset import Dataset, Roles
    from infra.analytics.training.user_rows import When

Label = Annotated[
    str,
    typer.Option(metavar="LABEL", help="The label's column; of a raw log [no-]WHAT:DAYSd, as in no-payment:60d."),
]
Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="What replay --keep-store wrote, a raw log, or rows by python -m infra.beam."
    ),
]
Rows = Annotated[Path | None, typer.Option(metavar="FILE", help="A table in place of DIR: a .csv or a .jsonl.")]
Name = Annotated[
    str | None,
    typer.Option(
        "--score", metavar="NAME", help="The score, or NAME@VERSION; default: the label's name, version 1."
    ),
]
Out = Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write; default: the present folder.")]
Kind = Annotated[str, typer.Option(metavar="KIND", help="logistic, trees, or auto: what the rows support.")]
Positive = Annotated[str | None, typer.Option(metavar="VALUE", help="The value of the label that counts as true.")]
User = Annotated[str | None, typer.Option(metavar="COLUMN", help="Whose row it is: a user's rows stay together.")]
Time = Annotated[str | None, typer.Option(metavar="COLUMN", help="When it was: the newest rows are the test.")]
Attributes = Annotated[
    bool, typer.Option("--attributes", help="Columns are attributes of users: profile.attributes.COLUMN.")
]
LeaveOut = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Learn nothing from it. Repeatable.")]
Keep = Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Learn from it in any case. Repeatable.")]
Every = Annotated[int, typer.Option(metavar="DAYS", min=1, help="Of a raw log: look at users every so many days.")]
Moments = Annotated[
    list[str] | None,
    typer.Option("--moment", metavar="KIND", help="Or at decisions about this moment. Repeatable."),
]
Entitled = Annotated[bool, typer.Option("--entitled", help="Of a raw log: only users who have access then.")]
CatalogOption = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="FILE", help="The catalog of the raw log; default: the shipped one."),
]
Folds = Annotated[int, typer.Option(metavar="N", min=2, max=50, help="The number of tests.")]
Seed = Annotated[int, typer.Option(metavar="N", min=0, max=2**31 - 1, help="The seed of every random choice.")]
At = Annotated[str | None, typer.Option(metavar="DATE", help="The day of the training; default: today (UTC).")]
Against = Annotated[
    str | None,
    typer.Option(
        "--promote-against", metavar="SCORE", help="Write nothing if it is worse than this one, in force."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files of this name and version.")]


def train(  # noqa: PLR0913 - each is an option
    folder: Folder = None,
    *,
    label: Label,
    rows: Rows = None,
    name: Name = None,
    out: Out = Path(),
    kind: Kind = "auto",
    positive: Positive = None,
    user: User = None,
    time: Time = None,
    attributes: Attributes = False,
    leave_out: LeaveOut = None,
    keep: Keep = None,
    every: Every = 30,
    moments: Moments = None,
    entitled: Entitled = False,
    catalog: CatalogOption = None,
    folds: Folds = 10,
    seed: Seed = 0,
    at: At = None,
    against: Against = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Train a score on a table or on a raw log.

    Tries a hinge logistic regression and boosted trees on users whom neither was trained on, and takes the simpler
    one unless the other is surely better. Columns of which nothing can be learned, and those that know the label
    already, are left out and named. Writes NAME.VERSION.json, and the model card NAME.VERSION.md beside it.

    A raw log goes through the functions' own code again, in the order of publication. So the rows have the facts
    that a decision would have known at each instant. WHAT is payment, a kind of moment (expired), or a kind of
    feedback (converted): then the rows are offers.

    Exit codes: 0 if the artifact is written, 1 if it is refused (--promote-against), 2 if the rows or the options
    make no sense.

    For example:

        upbeat train --rows customers.csv --label churned

        upbeat train out --label no-payment:60d --promote-against churn_risk@1
    """
    from infra.analytics import require

    require("lightgbm", "sklearn")
    from infra.analytics.artifacts import find_score
    from infra.analytics.training.assess import KINDS
    from infra.analytics.training.card import card, facts, summary
    from infra.analytics.training.dataset import Roles
    from infra.analytics.training.labels import find_column
    from infra.analytics.training.promotion import compare
    from infra.analytics.training.train import AUTO, Order
    from infra.analytics.training.train import train as trained_on
    from infra.analytics.training.user_rows import When
    from infra.terminal.progress import spinner

    if kind not in (AUTO, *KINDS):
        raise UsageError(f"--kind: expected {AUTO} or one of {', '.join(KINDS)}, found {kind!r}")
    score, version = _name_and_version(name or _plain(label))
    files = [out / f"{score}.{version}.{end}" for end in ("json", "md")]
    in_force = find_score(against, "--promote-against") if against else None
    if rows is not None and folder is None:
        roles = Roles(label, positive, user, time, tuple(leave_out or ()))
        with spinner("reading the rows"):
            dataset = _of_table(rows, roles, "profile.attributes." if attributes else "")
    elif folder is not None and rows is None:
        when = When(timedelta(days=every), tuple(moments or ()), entitled)
        with spinner("replaying the log"):
            dataset = _of_log(folder, label, when, catalog)
    else:
        raise UsageError("expected DIR or --rows FILE, and not both")
    known = [column.name for column in dataset.columns]
    kept = tuple(find_column(column, known, "--keep") for column in keep or ())
    order = Order(score, _day(at), version, kind, folds, seed, kept)
    with spinner(f"training on {len(dataset.label):,} rows"):
        trained = trained_on(dataset, order)
    rows_tested, predicted = trained.folds.tested, trained.chosen.predicted
    comparison = compare(trained.dataset, rows_tested, predicted, in_force, seed) if in_force else None
    refused = comparison is not None and comparison.refusal is not None
    if not refused:
        _write(dict(zip(files, (trained.data, card(trained, comparison).encode()), strict=True)), force=force)
    last = "nothing was written" if refused else f"wrote {files[0]} and {files[1]}"
    told = facts(trained, comparison, [] if refused else [str(file) for file in files])
    print_result("\n".join((*summary(trained, comparison), last)), as_json=as_json, facts=told)
    if refused:
        raise typer.Exit(1)


def _of_table(file: Path, roles: "Roles", prefix: str) -> "Dataset":
    from infra.analytics.tables import rows
    from infra.analytics.training.dataset import dataset_of_table

    about = f"The table {file.name}."
    return dataset_of_table(rows(readable(file, "a table"), repeated_names=True), roles, about, prefix)


def _of_log(folder: Path, label: str, when: "When", catalog: Path | None) -> "Dataset":
    from infra.analytics.training.log_rows import rows_of_file, rows_of_log
    from infra.analytics.training.outcomes import parse_outcome
    from infra.catalog.load import DEFAULT_CATALOG
    from infra.raw.folder import log_in
    from shared.domain.moments import MomentKind

    if unknown := {*when.moments} - {*MomentKind}:
        raise UsageError(f"--moment: expected one of {', '.join(MomentKind)}, found {min(unknown)!r}")
    content = valid_catalog(catalog or DEFAULT_CATALOG)
    if folder.is_file():
        return rows_of_file(folder, label, when, content).dataset
    found = rows_of_log(log_in(folder), parse_outcome(label), when, content, deployment_terms())
    note = (
        f"of {found.checked:,} facts that the log's decisions tell, {found.different:,} came out differently here"
    )
    return found.dataset._replace(notes=(*found.dataset.notes, note)) if found.checked else found.dataset


def _name_and_version(text: str) -> tuple[str, int]:
    """The name and the version of a score, 1 if it gives none. Raises `UsageError`."""
    name, _, version = text.partition("@")
    is_name = name.replace("-", "").replace("_", "").isalnum() and name.isascii() and len(name) <= 64
    if is_name and (not version or (version.isdecimal() and version.isascii() and 1 <= int(version) <= 1_000_000)):
        return name, int(version or 1)
    raise UsageError(f"--score: expected NAME or NAME@VERSION, of letters, digits, _ and -, found {text!r}")


def _plain(label: str) -> str:
    """A score's name for a label."""
    plain = "".join(
        character if character.isalnum() and character.isascii() else "_" for character in label.lower()
    )
    return plain.strip("_")[:64] or "score"


def _day(text: str | None) -> date:
    try:
        return datetime.now(UTC).date() if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at: expected a date such as 2026-03-01, found {text!r}") from None


def _write(files: dict[Path, bytes], *, force: bool) -> None:
    """Write the files. Raises `UsageError` if one exists with other content, `InfraError` if writing fails."""
    for file, data in files.items():
        if not force and file.exists() and file.read_bytes() != data:
            raise UsageError(
                f"{file}: expected a version that is new, found another artifact; --force replaces it"
            )
    for file, data in files.items():
        with writing_into(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
