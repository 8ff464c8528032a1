"""The raw log that tells a user's life: in a folder, or in the raw tables of a warehouse."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from infra.commands.inputs import readable
from infra.commands.users import store_folder
from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from shared.queries.past_log import Logged

Raw = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        help="The raw log: a folder, FILE.duckdb, bigquery:PROJECT.DATASET, or none. Default: beside the store,"
        " that of the emulators, or with --project the dataset upbeat.",
    ),
]
DATASET = "upbeat"
"""The dataset that Terraform lays for the raw tables (infra/terraform/warehouse.tf)."""
NONE = "none"


class RawLog(NamedTuple):
    """The messages of a raw log about one user."""

    messages: "list[Logged] | None" = None
    """In the order of their publication; None if no raw log was read."""
    folder: Path | None = None
    """Its folder, if it is in one."""
    place: str = ""
    """Its place, in words."""
    gap: str = ""
    """The reason why none was read although there may be one."""


def read_raw_log(user: str, raw: str | None, store: Path | None, project: str | None) -> RawLog:
    """The messages about a user in the given raw log, or the one of the store, the emulators or the project.

    Lines that cannot be read are told on standard error. Raises `UsageError` if the given one is no raw log, and
    `InfraError` if it cannot be read. One that was not asked for may be missing.
    """
    if raw == NONE:
        return RawLog()
    if raw and (raw.startswith("bigquery:") or raw.endswith(".duckdb")):
        return _of_warehouse(user, raw)
    if raw:
        folder = Path(raw)
        if not any(folder.glob("*.jsonl")):
            raise UsageError(f"{raw}: expected the folder of a raw log (TOPIC.jsonl), found no such files")
        return _of_folder(user, folder)
    if project:
        try:
            return _of_warehouse(user, f"bigquery:{project}.{DATASET}")
        except InfraError as error:
            return RawLog(gap=f"BigQuery was not read: {error}")
    folder = _beside(store)
    return _of_folder(user, folder) if folder.is_dir() else RawLog()


def place_of_raw_log(raw: str | None, store: Path | None, project: str | None) -> str:
    """The place that `read_raw_log` reads, in words."""
    return raw or (f"bigquery:{project}.{DATASET}" if project else str(_beside(store)))


@contextmanager
def raw_folder(where: str) -> Iterator[Path]:
    """The folder of a raw log; one of a warehouse is copied from there, and deleted after the block.

    Raises `UsageError` if there is no raw log, and `InfraError` if it cannot be read.
    """
    if not (where.startswith("bigquery:") or where.endswith(".duckdb")):
        from infra.raw.folder import log_in

        yield log_in(Path(where))
        return
    from infra.analytics.warehouse.engine import open_engine

    is_remote = where.startswith("bigquery:")
    if not is_remote:
        readable(Path(where), "a warehouse")
    with TemporaryDirectory(prefix="upbeat-rebuild-") as copy:
        with open_engine(where) as engine:
            from infra.analytics.warehouse.landed_tables import LandedTables

            tables = LandedTables(engine)
            if is_remote:
                typer.echo(f"reading {tables.size / 1e9:.3g} GB of {where}", err=True)
            tables.copy(Path(copy))
        yield Path(copy)


def log_folder() -> Path | None:
    """The raw log of the emulators on this machine; None if there is none."""
    folder = _beside(None)
    return folder if folder.is_dir() else None


def _beside(store: Path | None) -> Path:
    """The folder in which replay or up writes its raw log."""
    from infra.raw.folder import RAW
    from infra.remote.running import state_folder

    return (store_folder(store) if store else state_folder()) / RAW


def _of_folder(user: str, folder: Path) -> RawLog:
    from infra.raw.reader import messages_about

    try:
        found = messages_about(folder, user)
    except OSError as error:
        raise InfraError(f"{folder}: expected a raw log, found a file that cannot be read: {error}") from error
    for problem in found.unreadable:
        typer.echo(f"skipped {problem}", err=True)
    return RawLog(found.messages, folder, str(folder))


def _of_warehouse(user: str, where: str) -> RawLog:
    """The log in a warehouse. What BigQuery will read, and charge, is told on standard error."""
    from infra.analytics.warehouse.engine import open_engine

    is_remote = where.startswith("bigquery:")
    if not is_remote:
        readable(Path(where), "a warehouse")
    with open_engine(where) as engine:
        from infra.analytics.warehouse.user_messages import UserMessages

        messages = UserMessages(engine)
        if is_remote:
            size = messages.size(user) / 1e9
            typer.echo(f"reading {size:.3g} GB of {where} (--raw none leaves it out)", err=True)
        return RawLog(messages.read(user), None, where)
