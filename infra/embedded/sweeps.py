"""The users of a SQLite store as the target of a sweep: the functions run in this process, page by page."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from infra.embedded.runtime import EmbeddedRuntime
from infra.errors import InfraError
from infra.sweeps.sweep import Page, Scope, Sweep
from shared.adapters.sqlite import SqliteStore
from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import next_number

SCHEMA = """
create table if not exists catalog (version text not null, number integer not null);
create table if not exists sweeps (key text primary key, state text not null);
"""
HAS_ONE_OF = "exists (select 1 from json_each(open_campaigns) where value in (select value from json_each(?)))"


def put_in_force(store: Path, version: str, now: datetime) -> int:
    """Put a catalog in force for a store's file at `now` (UTC), and return its number.

    It is a higher one than before if another version was in force. Raises `InfraError` if the file is not a store.
    """
    try:
        with closing(sqlite3.connect(store, isolation_level=None)) as connection:
            connection.execute("select user_id from subscriptions limit 1")
            connection.executescript(SCHEMA)
            before, number = connection.execute("select version, number from catalog").fetchone() or ("", 0)
            if before != version:
                number = next_number(number, now)
                connection.execute("begin")
                connection.execute("delete from catalog")
                connection.execute("insert into catalog values (?, ?)", (version, number))
                connection.execute("commit")
            return int(number)
    except sqlite3.Error as error:
        raise InfraError(f"{store}: expected the SQLite file of a store, found something else: {error}") from error


class EmbeddedUsers:
    """Implements `Target` for an embedded runtime on a store whose file `put_in_force` has prepared."""

    def __init__(self, runtime: EmbeddedRuntime, store: SqliteStore) -> None:
        self.runtime = runtime
        self.store = store

    def count(self, scope: Scope, after: str) -> int:
        """See `Target.count`."""
        return int(self._rows("count(*)", scope, after)[0][0])

    def page(self, scope: Scope, after: str, limit: int) -> Page:
        """See `Target.page`."""
        rows = self._rows("user_id, open_campaigns", scope, after, limit)
        users = (user_id for user_id, opened in rows if not scope.only_open or opened != "[]")
        return Page(tuple(users), rows[-1][0] if rows else None)

    def load(self, key: str) -> Sweep | None:
        """See `Target.load`."""
        row = self._connection.execute("select state from sweeps where key = ?", (key,)).fetchone()
        if row is None:
            return None
        state = orjson.loads(row[0])
        return Sweep(**state | {"began_at": datetime.fromisoformat(state["began_at"])})

    def save(self, key: str, sweep: Sweep) -> None:
        """See `Target.save`."""
        self._connection.execute(
            "insert or replace into sweeps values (?, ?)", (key, orjson.dumps(sweep._asdict()))
        )

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Target.publish`. The functions have processed the messages when it returns."""
        asyncio.run(self._deliver(messages))

    async def _deliver(self, messages: Sequence[Message]) -> None:
        await self.runtime.bus.publish(messages)
        await self.runtime.drain()

    @property
    def _connection(self) -> sqlite3.Connection:
        return self.store.connection

    def _rows(self, columns: str, scope: Scope, after: str, limit: int = -1) -> list[tuple[Any, ...]]:
        """Rows of the users of a scope that follow `after`, in the order of the ids. -1 is no limit."""
        within, values = (
            ("1", ()) if not scope.campaigns else (HAS_ONE_OF, (orjson.dumps(scope.campaigns).decode(),))
        )
        statement = (
            f"select {columns} from subscriptions"  # noqa: S608 - constants
            f" where user_id > ? and erased_at is null and {within} order by user_id limit ?"
        )
        return self._connection.execute(statement, (after, *values, limit)).fetchall()
