"""SQLite store files: merges the stores of a replay's parts, and reads a user's document from a store."""

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from infra.errors import InfraError
from shared.adapters.sqlite import COLUMNS, SqliteStore
from shared.domain.instants import from_micros
from shared.ports import Stored

STORE = "upbeat.sqlite"
WAIT_SECONDS = 2.0
"""The seconds for which a reader waits for whoever writes the file."""


def merge_stores(parts: Sequence[Path], target: Path) -> None:
    """Write one store with the users of all parts; the bytes do not depend on the number of parts."""
    target.unlink(missing_ok=True)
    with ExitStack() as stack:
        rows = [
            stack.enter_context(_opened_read_only(part)).execute(
                f"select {COLUMNS} from subscriptions order by user_id"  # noqa: S608 - a constant
            )
            for part in parts
        ]
        connection = stack.enter_context(closing(SqliteStore(target, durable=False))).connection
        values = ", ".join("?" * len(COLUMNS.split(",")))
        connection.executemany(f"insert into subscriptions ({COLUMNS}) values ({values})", heapq.merge(*rows))  # noqa: S608


def read_document(store: Path, user_id: str) -> Stored | None:
    """A user's document; None if the user is unknown. Raises `InfraError` if the file is not a store."""
    with _reading(store) as connection:
        connection.row_factory = sqlite3.Row  # the store of an earlier version has fewer columns
        row = connection.execute("select * from subscriptions where user_id = ?", (user_id,)).fetchone()
    if row is None:
        return None
    erased_at = dict(row).get("erased_at")
    return Stored(row["blob"], row["version"], None if erased_at is None else from_micros(erased_at))


def first_users(store: Path, prefix: str, limit: int) -> list[str]:
    """The ids of the first users that begin with `prefix`, in order. Raises `InfraError` if it is no store."""
    query = "select user_id from subscriptions where user_id >= ? and substr(user_id, 1, ?) = ? order by 1 limit ?"
    with _reading(store) as connection:
        return [row[0] for row in connection.execute(query, (prefix, len(prefix), prefix, limit))]


@contextmanager
def _reading(store: Path) -> Iterator[sqlite3.Connection]:
    try:
        with _opened_read_only(store) as connection:
            yield connection
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise InfraError(f"{store} is being written by another process: look again in a moment") from error
        raise InfraError(f"{store}: expected the SQLite file of a store, found something else: {error}") from error
    except sqlite3.Error as error:
        raise InfraError(f"{store}: expected the SQLite file of a store, found something else: {error}") from error


def _opened_read_only(store: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", WAIT_SECONDS, uri=True))
