"""Users' documents in a SQLite file: the complete store for a laptop, under the same contract as Firestore."""

import sqlite3
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from shared.domain.due_shards import due_shard
from shared.domain.errors import Conflict, Transient
from shared.domain.instants import from_micros, to_micros
from shared.ports import Cursor, Document, DueUser, Lease, Stored, StoredCursor

BUSY_SECONDS = 5.0
"""The time in seconds that a statement waits for another process's lock before it fails."""

# A write-ahead log, synced at every commit, survives a crash and a power failure. https://www.sqlite.org/wal.html
DURABLE_PRAGMAS = "pragma journal_mode = wal; pragma synchronous = full;"
# No sync to disk, and a lock against other processes. https://www.sqlite.org/pragma.html
FAST_PRAGMAS = (
    "pragma locking_mode = exclusive; pragma journal_mode = memory; pragma synchronous = off;"
    "pragma cache_size = -65536;"  # 64 MiB: the default 2 MiB hold only about 1,000 documents
)
SCHEMA = """
create table if not exists subscriptions (
    user_id text primary key,
    version integer not null,
    blob blob,
    due_shard integer,
    next_due_at integer,
    summary text,
    open_campaigns text,
    erased_at integer
);
create index if not exists due on subscriptions (due_shard, next_due_at, user_id) where next_due_at is not null;
create table if not exists clock (
    shard integer primary key,
    version integer not null,
    next_due_at integer not null,
    user_id text not null,
    began_at integer not null,
    told text not null,
    holder text,
    leased_until integer
);
"""


FORMER_COLUMNS = "user_id, version, blob, due_shard, next_due_at, summary, open_campaigns"
"""The columns of `subscriptions` before it had tombstones. `open_campaigns` is null in a row from before it."""
COLUMNS = f"{FORMER_COLUMNS}, erased_at"
"""The columns of `subscriptions`, in order. All but the first two and the last are null in a tombstone's row."""

REMAKE = f"""
begin immediate;
drop index due;
alter table subscriptions rename to former;
{SCHEMA}
insert into subscriptions ({FORMER_COLUMNS}) select {FORMER_COLUMNS} from former;
drop table former;
commit;
"""  # noqa: S608 - constants


class SqliteStore:
    """Implements `Subscriptions` and `DueUsers`. Instants are stored as microseconds since 1970 UTC.

    A store that is not `durable` is faster, but no other process may use its file, and the file is complete only
    after `close`.
    """

    def __init__(self, path: Path | str, *, durable: bool = True) -> None:
        self.connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # Without durability, all writes share one transaction, which `close` commits.
        self.connection.executescript((DURABLE_PRAGMAS if durable else FAST_PRAGMAS) + SCHEMA)
        self._complete_former_schema()
        if not durable:
            self.connection.execute("begin")

    async def load(self, user_id: str) -> Stored:
        """See `Subscriptions.load`."""
        row = self._fetch_one("select blob, version, erased_at from subscriptions where user_id = ?", user_id)
        if not row:
            return Stored(None, None)
        blob, version, erased_at = row
        return Stored(blob, version, None if erased_at is None else from_micros(erased_at))

    async def commit(self, document: Document, version: object | None) -> None:
        """See `Subscriptions.commit`."""
        if version is None:
            written = self._insert("ignore", document, 1)
        else:
            statement = (
                "update subscriptions set version = version + 1, blob = ?, due_shard = ?, next_due_at = ?,"
                " summary = ?, open_campaigns = ?, erased_at = ? where user_id = ? and version = ?"
            )
            written = self._write(statement, *_content(document), document.user_id, version)
        if not written:
            raise Conflict("the document has changed since it was loaded")

    def put(self, document: Document, version: int) -> None:
        """Write the document as if it had been committed so many times, whatever is stored."""
        self._insert("replace", document, version)

    async def due(
        self, shard: int, after: DueUser, now: datetime, page_size: int
    ) -> AsyncGenerator[list[DueUser]]:
        """See `DueUsers.due`."""
        page = [after]
        while page:
            rows = self._fetch_all(
                "select next_due_at, user_id from subscriptions where due_shard = ? and next_due_at <= ?"
                " and (next_due_at, user_id) > (?, ?) order by next_due_at, user_id limit ?",
                shard,
                to_micros(now),
                to_micros(page[-1].next_due_at),
                page[-1].user_id,
                page_size,
            )
            if page := [DueUser(from_micros(micros), user_id) for micros, user_id in rows]:
                yield page

    async def load_cursor(self, shard: int) -> StoredCursor:
        """See `DueUsers.load_cursor`."""
        row = self._fetch_one(
            "select next_due_at, user_id, began_at, told, holder, leased_until, version from clock"
            " where shard = ?",
            shard,
        )
        if not row:
            return StoredCursor(None, None)
        last, told = DueUser(from_micros(row[0]), row[1]), orjson.loads(row[3])
        lease = Lease(row[4], from_micros(row[5])) if row[5] is not None else None
        due_times = {id_: from_micros(micros) for id_, micros in told.items()}
        return StoredCursor(Cursor(last, from_micros(row[2]), due_times, lease), row[6])

    async def save_cursor(self, shard: int, cursor: Cursor, version: object | None) -> object:
        """See `DueUsers.save_cursor`."""
        last, lease = cursor.last, cursor.lease
        values = (
            to_micros(last.next_due_at),
            last.user_id,
            to_micros(cursor.pass_started_at),
            orjson.dumps({id_: to_micros(due_at) for id_, due_at in cursor.told.items()}).decode(),
            lease.holder if lease else None,
            to_micros(lease.until) if lease else None,
        )
        if version is None:
            statement = "insert or ignore into clock values (?, 1, ?, ?, ?, ?, ?, ?)"
            written = self._write(statement, shard, *values)
        else:
            statement = (
                "update clock set version = version + 1, next_due_at = ?, user_id = ?, began_at = ?, told = ?,"
                " holder = ?, leased_until = ? where shard = ? and version = ?"
            )
            written = self._write(statement, *values, shard, version)
        if not written:
            raise Conflict("the cursor has changed since it was loaded")
        return 1 if version is None else version + 1  # type: ignore[operator]

    def blobs(self) -> Iterator[tuple[str, bytes]]:
        """Every user id with the user's blob, in the order of the ids; tombstones have none, and are left out."""
        yield from self._fetch_all(
            "select user_id, blob from subscriptions where blob is not null order by user_id"
        )

    def close(self) -> None:
        """Commit what is still open, and close the file."""
        self.connection.commit()
        self.connection.close()

    def _complete_former_schema(self) -> None:
        """Make the table of a file of an earlier version anew: it lacks columns, and others could not be null."""
        columns = [row[1] for row in self.connection.execute("pragma table_info(subscriptions)")]
        if "open_campaigns" not in columns:
            self.connection.execute("alter table subscriptions add column open_campaigns text")
        if "erased_at" not in columns:
            self.connection.executescript(REMAKE)

    def _insert(self, or_else: str, document: Document, version: int) -> int:
        """The number of rows written: 0 if the user has a row and `or_else` is to ignore that."""
        statement = f"insert or {or_else} into subscriptions values (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        return self._write(statement, document.user_id, version, *_content(document))

    def _fetch_one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return next(iter(self._fetch_all(statement, *values)), None)

    def _fetch_all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._execute(statement, values)[0]

    def _write(self, statement: str, *values: object) -> int:
        return self._execute(statement, values)[1]

    def _execute(self, statement: str, values: Sequence[object]) -> tuple[list[tuple[Any, ...]], int]:
        """The rows that a statement returned, and the number of rows that it wrote.

        Raises `Transient` if the file is locked, full or gone: all of them mean that the store does not answer.
        """
        try:
            cursor = self.connection.execute(statement, values)
            return cursor.fetchall(), cursor.rowcount
        except sqlite3.OperationalError as error:
            raise Transient(f"SQLite: {error}") from error


def _content(document: Document) -> tuple[object, ...]:
    """The columns of a document from `blob` on. A tombstone has `erased_at` alone."""
    if document.erased_at:
        return (*[None] * 5, to_micros(document.erased_at))
    return (
        document.blob,
        due_shard(document.user_id),
        None if document.next_due_at is None else to_micros(document.next_due_at),
        orjson.dumps(document.summary).decode(),
        orjson.dumps(document.open_campaigns).decode(),
        None,
    )
