"""`rebuild`: make users' documents again from the raw log, or compare them with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from infra.commands.beam_runner import BEAM, HERE, Runner, check_runner, run_beam
from infra.commands.common import AsJson, Project, print_result
from infra.commands.inputs import (
    deployment_terms,
    instant,
    named_catalog,
    process_sandbox,
    readable,
    valid_catalog,
    wanted_messages,
    writing_into,
)
from infra.commands.raw_log import raw_folder
from infra.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from infra.raw.by_user import Wanted
    from infra.rebuild.making import Source
    from infra.rebuild.run import Opened
    from infra.rebuild.work import Deployment
    from shared.decisioning.catalog import Catalog


def rebuild(  # noqa: PLR0913, PLR0917 - each is an option
    raw: Annotated[
        str,
        typer.Argument(
            metavar="RAW",
            help="The raw log: a folder of TOPIC.jsonl, FILE.duckdb, or bigquery:PROJECT.DATASET.",
        ),
    ],
    store: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A SQLite file, or the folder of a replay; made if there is none."),
    ] = None,
    project: Project = None,
    catalog: Annotated[
        str | None,
        typer.Option(metavar="CATALOG", help="A file or a published catalog; default: the one in force."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: compare the documents with the raw log.")
    ] = False,
    replace_before: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Replace documents that were committed last before this time."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Leave out what was published from this time on.")
    ] = None,
    users: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only the users in a file, one id per line.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: say what would become of the documents.")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Processes; default: one per CPU.")
    ] = None,
    runner: Runner = HERE,
    as_json: AsJson = False,
) -> None:
    """Make users' documents again from the raw log.

    Reads what landed, in and out, and writes the documents that are missing: in a SQLite file (--store), in the
    running emulators, or in a cloud project. Events give the subscriptions, by the code of the functions. Messages
    give what was decided, so that nothing is offered again. Nothing is published. A living document stays as it
    is, also one that comes to life meanwhile. After a kill, run it again: it goes on with what is missing.

    --replace-before TIME replaces documents whose last commit was before TIME. Stop the functions first, and give
    a time before which none of them commits any more: what a document holds and the log does not is lost. With
    functions stopped at TIME, give --until TIME as well: what was published since then they will get, and make
    offers for.

    With --runner beam the documents are made by an Apache Beam pipeline, and written or compared by this command.
    What `python -m infra.beam rebuild` made on many machines is written by `upbeat rebuild FILE`.

    --check compares every document with the log: equal; late (an event came later than a document remembers
    events, so that the order matters); differing, with the facts; no_document; no_events (the log tells nothing
    of the user); unreadable.

    Exit codes: 0 for success, 1 if a document could not be read or written, or if --check finds one that is
    neither equal nor late, 2 for arguments that make no sense.

    For example:

        upbeat rebuild raw --store new.sqlite
        upbeat rebuild bigquery:my-project.upbeat --project my-project --check
    """
    check_runner(runner)
    if store and project:
        raise UsageError("expected --store or --project, found both")
    if check and (dry_run or replace_before):
        raise UsageError("--check: expected no --dry-run and no --replace-before, found one of them")
    before, wanted = instant("--replace-before", replace_before), wanted_messages(users, instant("--until", until))
    if Path(raw).is_file() and not raw.endswith(".duckdb") and (wanted.until or runner == BEAM):
        raise UsageError(f"{raw}: expected a raw log for --until and --runner, found a file")
    with raw_folder(raw) as folder:
        place = _Place(store_path(store, must_exist=check or dry_run) if store else None, project)
        deployment = _deployment(catalog, folder, place)
        with _made_by_beam(folder, deployment, users, wanted) if runner == BEAM else nullcontext(folder) as read:
            source = _source(read, deployment, wanted, processes)
            code = (
                _check(source, place.target(), as_json=as_json)
                if check
                else _rebuild(source, place.target(), before, dry_run=dry_run, as_json=as_json)
            )
    raise typer.Exit(code)


@contextmanager
def _made_by_beam(raw: Path, deployment: "Deployment", users: Path | None, wanted: "Wanted") -> Iterator[Path]:
    """A file with the documents that a pipeline makes of a raw log; deleted after the block."""
    from shared.contracts.outbound.base import rfc3339

    with TemporaryDirectory(prefix="upbeat-rebuild-") as folder:
        catalog, made = Path(folder) / "catalog.json", Path(folder) / "made.jsonl"
        catalog.write_text(deployment.catalog)
        run_beam(
            *("rebuild", raw, "--catalog", catalog, "--number", deployment.number, "--out", made),
            *(("--users", users) if users else ()),
            *(("--until", rfc3339(wanted.until)) if wanted.until else ()),
        )
        yield made


class _Place(NamedTuple):
    """The store whose documents are made again."""

    store: Path | None
    """A SQLite file; None: the emulators, or a cloud project."""
    project: str | None

    def target(self) -> "Opened":
        """Opens the store. Raises `InfraError`."""
        from infra.rebuild.target import firestore_target, sqlite_target
        from infra.remote.firestore import client_of
        from infra.remote.running import find

        if self.store:
            return sqlite_target(self.store)
        return firestore_target(client_of(self.project), None if self.project else find().endpoints)

    def catalog(self, name: str | None, raw: Path) -> "Catalog":
        """The catalog of a name; without one, that in force. Raises `UsageError` and `InfraError`."""
        if name:
            return named_catalog(name, self.project)
        return _last_published(raw) if self.store else _in_force(self.project)


def store_path(store: Path, *, must_exist: bool) -> Path:
    """The SQLite file of a store, given by its path or its folder. Raises `UsageError`."""
    from infra.replay.stores import STORE

    file = store / STORE if store.is_dir() else store
    if must_exist:
        return readable(file, "the store of a replay (made with --keep-store)")
    if not file.parent.is_dir():
        raise UsageError(f"{store}: expected a file in a folder that exists, found no such folder")
    return file


def _deployment(name: str | None, raw: Path, place: _Place) -> "Deployment":
    from infra.rebuild.work import Deployment

    catalog = place.catalog(name, raw)
    return Deployment(catalog.to_json(), catalog.number, deployment_terms(), process_sandbox=process_sandbox())


def _last_published(raw: Path) -> "Catalog":
    """The catalog that the raw log tells last; the shipped one if it tells none that this version can read."""
    from infra.catalog.load import DEFAULT_CATALOG
    from infra.raw.catalogs import newest_readable, published_catalogs

    return newest_readable(published_catalogs(raw)) or valid_catalog(DEFAULT_CATALOG)


def _in_force(project: str | None) -> "Catalog":
    from infra.remote.firestore import client_of
    from infra.remote.stored_catalog import current_catalog

    current = current_catalog(client_of(project))
    if current is None or current.catalog is None:
        raise UsageError("--catalog: expected a catalog, since none is in force that this version can read")
    return current.catalog


def _rebuild(
    source: "Source", target: "Opened", before: "datetime | None", *, dry_run: bool, as_json: bool
) -> int:
    from infra.commands.rebuild_page import facts_of_rebuild, lines_of_rebuild
    from infra.rebuild.run import rebuild as run
    from infra.rebuild.write import Outcome
    from infra.terminal.progress import bar

    with bar("rebuilding") as progress, writing_into(source.raw):
        done = run(source, target, replace_before=before, dry_run=dry_run, progress=progress)
    print_result(
        "\n".join(lines_of_rebuild(done, dry_run=dry_run)),
        as_json=as_json,
        facts=facts_of_rebuild(done, dry_run=dry_run),
    )
    return 1 if done.outcomes[Outcome.UNREADABLE] or done.outcomes[Outcome.FAILED] else 0


def _check(source: "Source", target: "Opened", *, as_json: bool) -> int:
    from infra.commands.rebuild_page import facts_of_check, lines_of_check
    from infra.rebuild.comparison import FINE
    from infra.rebuild.run import check
    from infra.terminal.progress import bar

    with bar("comparing") as progress, writing_into(source.raw):
        done = check(source, target, progress)
    print_result("\n".join(lines_of_check(done)), as_json=as_json, facts=facts_of_check(done))
    return 0 if done.verdicts.keys() <= FINE else 1


def _source(raw: Path, deployment: "Deployment", wanted: "Wanted", processes: int | None) -> "Source":
    """The log to read. A small one is read by one process before a second one would have started."""
    from infra.rebuild.making import BUCKET_BYTES, Source

    size = sum(file.stat().st_size for file in raw.glob("*.jsonl"))
    most = len(os.sched_getaffinity(0)) if size > BUCKET_BYTES else 1
    return Source(raw, deployment, wanted, processes or most)
