"""`erase`: forget a user, everywhere that Upbeat reaches."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.commands.common import AsJson, FeaturesTable, Project, opened_features, print_result
from infra.commands.inputs import deployment_terms
from infra.commands.raw_log import NONE, place_of_raw_log
from infra.commands.users import Store, UserId, as_of, find_record, place_of, store_file
from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from infra.analytics.features.table import FeatureTable
    from infra.analytics.warehouse.erasure import Removed, UserRemoval
    from infra.privacy.target import Counts, Target
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
AFTERWARDS = (
    "Then build the models anew (upbeat warehouse run --full-refresh), and export features, if there are any",
)
"""What is left to be done by others, once for all who were erased."""
TOO_FRESH_CODE = 3
"""The exit code when rows that have just come could not be removed yet."""


class _Asked(NamedTuple):
    """The user who is to be erased, and where."""

    user: str
    store: Path | None
    project: str | None
    raw: str | None
    features: str | None

    @property
    def options(self) -> str:
        """The options that name the place, for a command that is to be run later."""
        where = (
            f" --project {self.project}"
            if self.project
            else f" --store {quote(str(self.store))}"
            if self.store
            else ""
        )
        raw = f" --raw {quote(self.raw)}" if self.raw else ""
        return where + raw + (f" --features {quote(self.features)}" if self.features else "")


class _Done(NamedTuple):
    """The result."""

    asked: _Asked
    erased: "Erased"
    dry: bool
    is_new: bool
    """False if the user was erased before, and only what was left is removed."""
    counts: "Counts"
    tables: "list[Removed]"
    may_go_at: datetime
    """The instant (UTC) from which the tombstone may go."""

    @property
    def too_fresh(self) -> list[str]:
        """The tables with rows that could not be removed yet."""
        return [removed.table for removed in self.tables if removed.is_too_fresh]


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
    asked = _Asked(user, store, project, raw, features)
    if [again, remove_tombstone, print_sql].count(True) > 1:
        raise UsageError("expected one of --again, --remove-tombstone and --print-sql, found several")
    if present and not store:
        raise UsageError("--now: expected it with --store, found it without: elsewhere the clock tells the time")
    record, now = find_record(user, store, project), as_of(present, store, project)
    if print_sql:
        _print_sql(asked, record, now, as_json=as_json)
        return
    with ExitStack() as opened:
        target = opened.enter_context(_target(asked, wait))
        if remove_tombstone:
            _remove_tombstone(target, asked, record, now, as_json=as_json)
            return
        erased, is_new = _erased(asked, record, now, again=again)
        removal = opened.enter_context(_removal(asked))
        table = opened_features(features) if features else None
        if not (yes or dry_run):
            _confirm(asked, record, is_new=is_new)
        done = _Done(asked, erased, dry_run, is_new, {}, [], _may_go_at(erased.at))
        done = _carry_out(done, target, removal, table)
    print_result(_text(done), as_json=as_json, facts=_facts(done))
    if done.too_fresh:
        raise typer.Exit(TOO_FRESH_CODE)


def _erased(asked: _Asked, record: "UserRecord | None", now: datetime, *, again: bool) -> "tuple[Erased, bool]":
    """What goes, and whether that is a new erasure. A tombstone is not erased anew: nothing came since."""
    from infra.raw.erased import Erased

    before = record.erased_at if record else None
    if again and before is None:
        place = place_of(asked.store, asked.project)
        raise InfraError(
            f"--again: expected a user who was erased, found none of the name {asked.user!r} in {place}"
        )
    if record and before and (again or record.is_tombstone):
        return Erased.of(record, before, as_of(None, asked.store, asked.project)), False
    return Erased.whole(asked.user, now), True


def _carry_out(
    plan: _Done, target: "Target", removal: "UserRemoval | None", features: "FeatureTable | None"
) -> _Done:
    from infra.raw.erased import Erased
    from infra.terminal.progress import spinner

    erased, dry = plan.erased, plan.dry
    if plan.is_new and not dry:
        with spinner("erasing the user"):
            left = target.erase(erased.user_id, erased.at)
        erased = Erased.of(left, erased.at, as_of(None, plan.asked.store, plan.asked.project))
    with spinner("counting what would go" if dry else "removing what no function reaches"):
        counts = target.purge(erased, dry=dry)
    with spinner("asking the raw tables"):
        tables = [] if removal is None else removal.count(erased) if dry else removal.remove(erased)
    of_features = {} if features is None else {"features": _forget_features(features, erased, dry=dry)}
    return plan._replace(counts={**counts, **of_features}, tables=tables)


def _forget_features(table: "FeatureTable", erased: "Erased", *, dry: bool) -> int:
    """Delete the user's row of features, unless it tells of a user who came back; how many features there were."""
    told = table.read(erased.user_id)
    if erased.lives and any(feature["as_of"] > erased.at for feature in told.values()):
        return 0
    if not dry:
        table.forget(erased.user_id)
    return len(told)


def _remove_tombstone(
    target: "Target", asked: _Asked, record: "UserRecord | None", now: datetime, *, as_json: bool
) -> None:
    """Raises `InfraError` if there is no tombstone, or if a late event may still come."""
    place = place_of(asked.store, asked.project)
    if record is None or record.erased_at is None or not record.is_tombstone:
        found = "none" if record is None else "a user who lives"
        raise InfraError(f"expected the tombstone of {asked.user!r} in {place}, found {found}")
    may_go_at = _may_go_at(record.erased_at)
    if now < may_go_at:
        raise InfraError(
            f"expected a time from {_day(may_go_at)} on, found {_day(now)}: until then a late event may come,"
            " which would bring the user back"
        )
    target.remove_tombstone(asked.user)
    print_result(
        f"removed the tombstone of {asked.user} in {place}",
        as_json=as_json,
        facts={"user_id": asked.user, "erased_at": record.erased_at.isoformat(), "tombstone_removed": True},
    )


def _confirm(asked: _Asked, record: "UserRecord | None", *, is_new: bool) -> None:
    """Have the id typed once more. Raises `InfraError` for anything else."""
    known = "whom no document tells of" if record is None else "with the whole document" if is_new else "again"
    place = place_of(asked.store, asked.project)
    typer.echo(f"This erases {asked.user} in {place}, {known}. Nobody can undo it.", err=True)
    typed = typer.prompt("Type the user's id to go on", err=True)
    if typed != asked.user:
        raise InfraError("expected the user's id once more, found something else: nothing was erased")


@contextmanager
def _target(asked: _Asked, wait: float) -> "Iterator[Target]":
    from infra.topology import load

    if asked.store:
        from infra.privacy.store import StoredUpbeat

        yield StoredUpbeat(store_file(asked.store), deployment_terms())
        return
    from contextlib import closing

    from infra.commands.common import bus_of
    from infra.privacy.running import RunningUpbeat
    from infra.remote.firestore import client_of
    from infra.remote.running import state_folder

    folder = None if asked.project else state_folder()
    with closing(bus_of(asked.project)) as bus:
        yield RunningUpbeat(client_of(asked.project), bus, load(), deployment_terms(), folder, wait)


@contextmanager
def _removal(asked: _Asked) -> "Iterator[UserRemoval | None]":
    """The raw tables of a warehouse, opened before anything is erased: what is missing is said in time."""
    where = _tables(asked)
    if where is None:
        yield None
        return
    from infra.analytics.warehouse.engine import open_engine

    with ExitStack() as opened:
        try:
            engine = opened.enter_context(open_engine(where))
            from infra.analytics.warehouse.erasure import UserRemoval

            removal = UserRemoval(engine)
        except InfraError as error:
            advice = "nothing was erased; --raw none leaves the tables out, --print-sql prints the statements"
            raise type(error)(f"{where}: {error} ({advice})") from error
        yield removal


def _tables(asked: _Asked) -> str | None:
    if asked.raw == NONE or not (asked.raw or asked.project):
        return None
    return place_of_raw_log(asked.raw, None, asked.project)


def _print_sql(asked: _Asked, record: "UserRecord | None", now: datetime, *, as_json: bool) -> None:
    """Print the statements with their parameters."""
    from infra.analytics import require

    require("google.cloud.bigquery", "sqlglot")
    from infra.analytics.warehouse.erasure import script_for
    from infra.analytics.warehouse.user_messages import TOPICS
    from infra.raw.erased import Erased

    where = _tables(asked) or ""
    if not where.startswith("bigquery:"):
        raise UsageError("--print-sql: expected --project, or --raw bigquery:PROJECT.DATASET, found neither")
    before = record and record.erased_at
    erased = Erased.of(record, before, now) if record and before else Erased.whole(asked.user, now)
    script = script_for(erased, TOPICS, where.removeprefix("bigquery:"))
    print_result(script, as_json=as_json, facts={"script": script})


def _may_go_at(erased_at: datetime) -> datetime:
    from infra.privacy.retention import tombstone_may_go_at
    from infra.topology import load

    return tombstone_may_go_at(erased_at, load())


def _facts(done: _Done) -> dict[str, Any]:
    return {
        "user_id": done.asked.user,
        "erased_at": done.erased.at.isoformat(),
        "dry_run": done.dry,
        "erased_before": not done.is_new,
        "removed": dict(done.counts),
        "rows": {removed.table: removed.rows for removed in done.tables if not removed.is_too_fresh},
        "too_fresh": done.too_fresh,
        "tombstone_may_go_at": done.may_go_at.isoformat(),
    }


def _text(done: _Done) -> str:
    from infra.terminal.invocation import again

    asked, verb = done.asked, "would go" if done.dry else "removed"
    command = f"{again()} erase {quote(asked.user)}{asked.options}"
    found = {**done.counts, **{f"rows of {each.table}": each.rows for each in done.tables}}
    removed = [f"  {kind}: {count:,} {verb}" for kind, count in found.items() if count]
    lines = [_head(done), *(removed or ["  nothing else was there"])]
    if done.too_fresh:
        lines.append(f"BigQuery refuses to remove rows that have just come of {', '.join(done.too_fresh)}")
    if done.dry:
        return "\n".join(lines)
    if done.tables:
        lines += [f"In a day, remove what has landed since: {command} --again", *AFTERWARDS]
    lines.append(f"From {_day(done.may_go_at)} UTC on, remove the tombstone: {command} --remove-tombstone")
    return "\n".join(lines)


def _head(done: _Done) -> str:
    place = place_of(done.asked.store, done.asked.project)
    if not done.is_new:
        return f"{done.asked.user} was erased at {_day(done.erased.at)} UTC; of what was left in {place}:"
    return f"{'would erase' if done.dry else 'erased'} {done.asked.user} in {place}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
