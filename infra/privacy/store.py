"""Erasure in what a replay kept: its SQLite file, the files of its messages, and its raw log."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import orjson

from infra.catalog.load import load_catalog
from infra.embedded.push import Push
from infra.embedded.runtime import EmbeddedRuntime, VirtualClock
from infra.errors import InfraError
from infra.privacy.event import TOPIC, erasure_event
from infra.privacy.target import Counts, just_before
from infra.raw.erased import Erased, remove_from_log
from infra.raw.folder import RAW
from infra.replay.journal import FILES, SUBSCRIPTIONS
from infra.replay.replay import SCRATCH
from infra.whole_file import remove_lines
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.contracts.inbound.envelope import Delivery
from shared.domain.errors import Transient
from shared.domain.terms import Terms
from shared.queries.past_log import json_object
from shared.record.user_record import UserRecord


class StoredUpbeat:
    """Implements `Target` for a store's file and the folder in which it is."""

    def __init__(self, file: Path, terms: Terms) -> None:
        """Raises `InfraError` if a replay is writing into the folder."""
        self.file, self.folder, self._terms = file, file.parent, terms
        if scratch := next(self.folder.glob(f"{SCRATCH}*"), None):
            raise InfraError(
                f"{self.folder}: expected a replay that has ended, found {scratch.name} of one that runs or was"
                " killed: wait for it, or delete that folder"
            )

    def erase(self, user_id: str, at: datetime) -> UserRecord:
        """Run the event through the code of the functions, on the file."""
        event = erasure_event(user_id, at)
        push = Push(TOPIC, event.data, {}, at, event.event_id)
        with self._opened() as store:
            records = PackedRecords(store, self._terms)
            runtime = EmbeddedRuntime(
                records, load_catalog(), VirtualClock(at), lambda _message: None, terms=self._terms
            )
            outcome = asyncio.run(runtime.push(push))
            left = asyncio.run(records.load(user_id)).record
        if outcome not in {"applied", "duplicate"}:
            raise InfraError(f"{self.file}: expected the erasure to be applied, found that it was {outcome}")
        return left

    def purge(self, erased: Erased, *, dry: bool = False) -> Counts:
        """See `Target.purge`. Bytes that the SQLite file has deleted leave it, too."""
        try:
            lines = sum(remove_lines(*each, dry=dry) for each in self._files(erased))
            logged = remove_from_log(self.folder / RAW, erased, dry=dry)
        except OSError as error:
            raise InfraError(f"{self.folder}: cannot remove lines: {error}") from error
        with self._opened() as store:
            positions = _forget_positions(store.connection, erased.user_id, dry=dry)
            if not dry:
                store.connection.execute("vacuum")
                store.connection.execute("pragma journal_mode = delete")  # so that no log of the file is left
        return {"lines of the replay": lines, "lines of the raw log": logged, "positions": positions}

    def remove_tombstone(self, user_id: str) -> None:
        """See `Target.remove_tombstone`."""
        with self._opened() as store:
            store.connection.execute(
                "delete from subscriptions where user_id = ? and erased_at is not null", (user_id,)
            )
            store.connection.execute("vacuum")
            store.connection.execute("pragma journal_mode = delete")

    def _files(self, erased: Erased) -> Iterator[tuple[Path, Callable[[bytes], bool]]]:
        """The files of the replay's messages and subscriptions, each with the lines that go."""
        for topic, name in FILES.items():
            if (file := self.folder / name).exists():
                yield file, partial(_is_message, erased, topic)
        if (file := self.folder / SUBSCRIPTIONS).exists() and not erased.lives:
            yield file, partial(_is_subscription, erased.user_id)

    @contextmanager
    def _opened(self) -> Iterator[SqliteStore]:
        """The store. Raises `InfraError` if it is none, or somebody else is writing it."""
        try:
            with closing(SqliteStore(self.file)) as store:
                yield store
        except (sqlite3.Error, Transient) as error:
            if "locked" in str(error):
                raise InfraError(f"{self.file} is being written by another process: try again later") from error
            raise InfraError(
                f"{self.file}: expected the SQLite file of a store, found something else: {error}"
            ) from error


def _is_message(erased: Erased, topic: str, line: bytes) -> bool:
    return erased.covers(topic, Delivery(line, {}))


def _is_subscription(user_id: str, line: bytes) -> bool:
    return bool(json_object(line).get("user_id") == user_id)


def _forget_positions(connection: sqlite3.Connection, user_id: str, *, dry: bool) -> int:
    """Move positions that are the user's: of the clock in a shard, and of sweeps. How many there are."""
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    (in_clock,) = connection.execute("select count(*) from clock where user_id = ?", (user_id,)).fetchone()
    if not dry:
        connection.execute("update clock set user_id = ? where user_id = ?", (just_before(user_id), user_id))
    rows = connection.execute("select key, state from sweeps").fetchall() if "sweeps" in tables else []
    saved = {key: state for key, text in rows if (state := orjson.loads(text))["after"] == user_id}
    for key, state in saved.items() if not dry else ():
        moved = orjson.dumps(state | {"after": just_before(user_id)})
        connection.execute("update sweeps set state = ? where key = ?", (moved, key))
    return int(in_clock) + len(saved)
