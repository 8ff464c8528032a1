"""`erase`: forget a user, everywhere that Upbeat reaches."""

from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.common import AsJson, FeaturesTable, Project, opened_features, print_result
from infra.commands.erasure_places import Asked, opened_tables, opened_target, raw_tables
from infra.commands.erasure_result import Done, day, facts, text
from infra.commands.users import Store, UserId, as_of, find_record
from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from infra.analytics.features.table import FeatureTable
    from infra.analytics.warehouse.erasure import Removed, UserRemoval
    from infra.privacy.target import Target
    from infra.raw.erased import Erased
    from shared.record.user_record import UserRecord

Tables = Annotated[
    str | None,
    typer.Option(
        "--raw",
        metavar="WHERE",
        help="The raw tables: bigquery:PROJECT.DATASET, FILE.duckdb, or none. Default with --project: upbeat.",
    ),
]
TOO_FRESH_CODE = 3
"""The exit code when rows that have just come could not be removed yet."""


def erase(  # noqa: PLR0913, PLR0917 - each is an option of the command
    user: UserId,
    store: Store = None,
    project: Project = None,
    raw: Tables = None,
    features: FeaturesTable = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the user's id once more.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would go.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Only remove what is left of the last erasure; publish no event.")
    ] = False,
    remove_tombstone: Annotated[
        bool,
        typer.Option("--remove-tombstone", help="Remove the last trace, once no late event can come any more."),
    ] = False,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Only print the statements for BigQuery, to run them yourself.")
    ] = False,
    present: Annotated[
        str | None,
        typer.Option(
            "--now", metavar="TIME", help="The time up to which all goes, with --store; default: its end."
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Wait so long until the function has erased the user.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Erase a user for good.

    Everything that occurred up to now goes. Publishes a user-erasure event, waits until the function has put a
    tombstone in the place of the user's document, and removes what no function reaches: dead letters, documents
    for e-mail, positions of the clock and of sweeps that are the user's, rows of the raw tables, and the row of
    --features. In the running emulators also messages that wait for listen, and lines of the raw log; in what
    replay --keep-store kept, lines of all its files. Lines and rows of others stay, also those that mention the
    user. Without --yes, asks for the id once more.

    The tombstone has the id as its name, and the time. A late event of before does not bring the user back; one of
    after the erasure starts afresh. The command says from when on --remove-tombstone will remove it.

    Running it again is safe. In BigQuery, run it with --again a day later: rows that have just come refuse to be
    removed, and the row of the erasure itself is one. --again never removes what came after the erasure.

    What it does not reach, docs/operations.md says, with the days after which the last copy is gone. To give users
    their data first, see upbeat export.

    Exit codes: 0 if the user is erased, 1 if something fails, 2 if an option is wrong, 3 if only rows that have
    just come are left.

    For example:

        upbeat erase ada --dry-run
        upbeat erase ada --project my-project
        upbeat erase ada --project my-project --again
    """
    asked = Asked(user, store, project, raw, features)
    if [again, remove_tombstone, print_sql].count(True) > 1:
        raise UsageError("expected one of --again, --remove-tombstone and --print-sql, found several")
    if present and not store:
        raise UsageError("--now: expected it with --store, found it without: elsewhere the clock tells the time")
    record, now = find_record(user, store, project), as_of(present, store, project)
    if print_sql:
        _print_sql(asked, record, now, as_json=as_json)
        return
    with ExitStack() as opened:
        target = opened.enter_context(opened_target(asked, wait))
        if remove_tombstone:
            _remove_tombstone(target, asked, record, now, as_json=as_json)
            return
        erased, is_new = _erased(asked, record, now, again=again)
        removal = opened.enter_context(opened_tables(asked))
        table = opened_features(features) if features else None
        if not (yes or dry_run):
            _confirm(asked, record, is_new=is_new)
        done = Done(asked, erased, dry_run, is_new, {}, [], _may_go_at(erased.at))
        done = _carry_out(done, target, removal, table)
    print_result(text(done), as_json=as_json, facts=facts(done))
    if done.too_fresh:
        raise typer.Exit(TOO_FRESH_CODE)


def _erased(asked: Asked, record: "UserRecord | None", now: datetime, *, again: bool) -> "tuple[Erased, bool]":
    """The messages that go, and True if the erasure is new. A tombstone is not erased anew: nothing came since."""
    from infra.raw.erased import Erased

    before = record.erased_at if record else None
    if again and before is None:
        raise InfraError(
            f"--again: expected a user who was erased, found none of the name {asked.user!r} in {asked.place}"
        )
    if record and before and (again or record.is_tombstone):
        return Erased.of(record, before, as_of(None, asked.store, asked.project)), False
    return Erased.whole(asked.user, now), True


def _carry_out(
    plan: Done, target: "Target", removal: "UserRemoval | None", features: "FeatureTable | None"
) -> Done:
    from infra.raw.erased import Erased
    from infra.terminal.progress import spinner

    erased, dry = plan.erased, plan.dry
    if plan.is_new and not dry:
        with spinner("erasing the user"):
            left = target.erase(erased.user_id, erased.at)
        erased = Erased.of(left, erased.at, as_of(None, plan.asked.store, plan.asked.project))
    with spinner("counting what would go" if dry else "removing what no function reaches"):
        counts = target.purge(erased, dry=dry)
    tables = _of_tables(removal, erased, dry=dry) if removal else []
    of_features = {} if features is None else {"features": _forget_features(features, erased, dry=dry)}
    return plan._replace(counts={**counts, **of_features}, tables=tables)


def _of_tables(removal: "UserRemoval", erased: "Erased", *, dry: bool) -> "list[Removed]":
    """The rows that went, or would go. Raises `InfraError` that says what is done already."""
    from infra.terminal.progress import spinner

    try:
        with spinner("asking the raw tables"):
            return removal.count(erased) if dry else removal.remove(erased)
    except InfraError as error:
        state = "nothing was erased" if dry else "the user is erased, but rows are left: run it again with --again"
        raise InfraError(f"{error} ({state})") from error


def _forget_features(table: "FeatureTable", erased: "Erased", *, dry: bool) -> int:
    """Delete the user's row of features, unless it tells of a user who came back; how many features there were."""
    told = table.read(erased.user_id)
    if erased.lives and any(feature["as_of"] > erased.at for feature in told.values()):
        return 0
    if not dry:
        table.forget(erased.user_id)
    return len(told)


def _remove_tombstone(
    target: "Target", asked: Asked, record: "UserRecord | None", now: datetime, *, as_json: bool
) -> None:
    """Raises `InfraError` if there is no tombstone, or if a late event may still come."""
    if record is None or record.erased_at is None or not record.is_tombstone:
        found = "none" if record is None else "a user who lives"
        raise InfraError(f"expected the tombstone of {asked.user!r} in {asked.place}, found {found}")
    may_go_at = _may_go_at(record.erased_at)
    if now < may_go_at:
        raise InfraError(
            f"expected a time from {day(may_go_at)} on, found {day(now)}: until then a late event may come,"
            " which would bring the user back"
        )
    target.remove_tombstone(asked.user)
    print_result(
        f"removed the tombstone of {asked.user} in {asked.place}",
        as_json=as_json,
        facts={"user_id": asked.user, "erased_at": record.erased_at.isoformat(), "tombstone_removed": True},
    )


def _confirm(asked: Asked, record: "UserRecord | None", *, is_new: bool) -> None:
    """Have the id typed once more. Raises `InfraError` for anything else."""
    known = "whom no document tells of" if record is None else "with the whole document" if is_new else "again"
    typer.echo(f"This erases {asked.user} in {asked.place}, {known}. Nobody can undo it.", err=True)
    typed = typer.prompt("Type the user's id to go on", err=True)
    if typed != asked.user:
        raise InfraError("expected the user's id once more, found something else: nothing was erased")


def _print_sql(asked: Asked, record: "UserRecord | None", now: datetime, *, as_json: bool) -> None:
    """Print the statements with their parameters."""
    where = raw_tables(asked) or ""
    if not where.startswith("bigquery:"):
        raise UsageError("--print-sql: expected --project, or --raw bigquery:PROJECT.DATASET, found neither")
    from infra.analytics import require

    require("google.cloud.bigquery", "sqlglot")
    from infra.analytics.warehouse.erasure import script_for
    from infra.analytics.warehouse.user_messages import TOPICS
    from infra.raw.erased import Erased

    before = record and record.erased_at
    erased = Erased.of(record, before, now) if record and before else Erased.whole(asked.user, now)
    script = script_for(erased, TOPICS, where.removeprefix("bigquery:"))
    print_result(script, as_json=as_json, facts={"script": script})


def _may_go_at(erased_at: datetime) -> datetime:
    from infra.privacy.retention import tombstone_may_go_at
    from infra.topology import load

    return tombstone_may_go_at(erased_at, load())
