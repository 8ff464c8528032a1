"""Features in Bigtable: one call for a user, within its time whatever happens, and an answer put together."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.emulator.bigtable import BigtableEmulator
from infra.remote.endpoints import LOCALHOST, free_ports
from shared.adapters.gcp.bigtable import BigtableFeatures
from shared.adapters.gcp.connection import BIGTABLE, Connection, emulator_connection
from shared.adapters.gcp.feature_rows import Chunk, RowReader, cell_micros, decode, encode, row_key
from shared.domain.errors import Transient
from shared.domain.features import NO_FEATURES, Feature, KnownFeatures
from shared.domain.instants import from_micros
from tests.shared.adapters.proxy import proxied
from tests.shared.adapters.wire import Wire, watched
from tests.support.bigtable import EmulatedTable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TABLE = "projects/p/instances/upbeat/tables/user_features"
GENEROUS_SECONDS = 30.0
FREEZING_SECONDS = 0.5
"""The time until a stopped process is still: each thread stops when it is next scheduled."""
SILENT = KnownFeatures(failure="Bigtable: no answer within 0.02 s")


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def reader(stack) -> Callable[..., BigtableFeatures]:
    """A function that makes an adapter at a host and port."""

    def at(host: str, seconds: float, table: str = TABLE, wire: Wire | None = None) -> BigtableFeatures:
        connection = watched(BIGTABLE, host, wire) if wire else emulator_connection(BIGTABLE, host)
        stack.push_async_callback(connection.close)
        return BigtableFeatures(connection, table, seconds)

    return at


@pytest.fixture
def table(bigtable, project, monkeypatch) -> EmulatedTable:
    """A table with one user, anna, whose value is 1."""
    made = EmulatedTable(bigtable, project, monkeypatch)
    made.put("anna", "value", b"1", NOON)
    return made


class TestOneCall:
    @pytest.mark.emulator
    async def test_reads_a_user_and_says_by_what_it_is_routed(self, reader, bigtable, table) -> None:
        wire = Wire()
        features = reader(bigtable.host, GENEROUS_SECONDS, table.name, wire)
        assert (await features.load("anna", NOON)).values == {"value": Feature(1, NOON)}
        assert wire.calls == {"ReadRows": 1}
        assert wire.headers["x-goog-request-params"] == f"table_name={table.name}"

    @pytest.mark.emulator
    async def test_is_never_made_again(self, reader, bigtable, table) -> None:
        wire = Wire()
        features = reader(bigtable.host, GENEROUS_SECONDS, table.name, wire)
        wire.failures = iter([grpc.StatusCode.UNAVAILABLE])
        assert await features.load("anna", NOON) == KnownFeatures(failure="Bigtable: UNAVAILABLE")
        assert wire.calls == {"ReadRows": 1}

    @pytest.mark.emulator
    async def test_reads_no_other_family_than_that_of_features(self, reader, bigtable, table) -> None:
        table.put("anna", "by", b"upbeat", NOON, family="export")
        features = reader(bigtable.host, GENEROUS_SECONDS, table.name)
        assert (await features.load("anna", NOON)).values == {"value": Feature(1, NOON)}

    @pytest.mark.emulator
    @pytest.mark.parametrize("garbage", [b"", b"\xff\x00", b"{", b"NaN", b"1e999", b'"\xff"'])
    async def test_takes_a_cell_that_is_no_json_for_a_value_of_no_type(
        self, reader, bigtable, table, garbage
    ) -> None:
        table.put("anna", "value", garbage, NOON)
        features = reader(bigtable.host, GENEROUS_SECONDS, table.name)
        assert (await features.load("anna", NOON)).values == {"value": Feature(garbage, NOON)}

    @pytest.mark.emulator
    async def test_of_many_at_once_waits_for_no_other(self, reader, bigtable, table) -> None:
        features = reader(bigtable.host, GENEROUS_SECONDS, table.name)
        found = await asyncio.gather(*(features.load(user, NOON) for user in ["anna", "ben"] * 50))
        assert found == [KnownFeatures({"value": Feature(1, NOON)}), NO_FEATURES] * 50


class TestOutages:
    async def test_a_port_that_nobody_listens_on(self, reader) -> None:
        (port,) = free_ports(1)
        known = await reader(f"{LOCALHOST}:{port}", GENEROUS_SECONDS).load("anna", NOON)
        assert known == KnownFeatures(failure="Bigtable: UNAVAILABLE")

    async def test_a_listener_that_never_says_a_word(self, reader) -> None:
        with socket.create_server((LOCALHOST, 0)) as deaf:
            features = reader(f"{LOCALHOST}:{deaf.getsockname()[1]}", 0.02)
            assert await asyncio.gather(*(features.load("anna", NOON) for _ in range(5))) == [SILENT] * 5

    @pytest.mark.emulator
    async def test_a_table_that_does_not_exist(self, reader, bigtable) -> None:
        known = await reader(bigtable.host, GENEROUS_SECONDS).load("anna", NOON)
        assert known == KnownFeatures(failure="Bigtable: NOT_FOUND")

    @pytest.mark.emulator
    async def test_an_answer_that_is_held_and_a_connection_that_dies(self, reader, bigtable, table) -> None:
        async with proxied(bigtable.host) as proxy:
            features = reader(f"{LOCALHOST}:{proxy.port}", GENEROUS_SECONDS, table.name)
            known = await features.load("anna", NOON)
            assert known.values == {"value": Feature(1, NOON)}
            features.seconds = 0.02
            proxy.answers.clear()
            assert await features.load("anna", NOON) == SILENT
            proxy.answers.set()
            features.seconds = GENEROUS_SECONDS
            assert await features.load("anna", NOON) == known
            calls = [asyncio.create_task(features.load("anna", NOON)) for _ in range(3)]
            proxy.cut()
            for call in calls:
                assert (await call).failure in {None, "Bigtable: UNAVAILABLE"}
            async with asyncio.timeout(GENEROUS_SECONDS):
                while await features.load("anna", NOON) != known:  # noqa: ASYNC110 - a connection has no event
                    await asyncio.sleep(0.05)

    @pytest.mark.emulator
    @pytest.mark.usefixtures("_bigtable_program")
    async def test_an_emulator_that_freezes_and_then_dies_at_work(self, reader) -> None:
        with BigtableEmulator() as ours:
            features = reader(ours.host, GENEROUS_SECONDS)
            assert (await features.load("anna", NOON)).failure == "Bigtable: NOT_FOUND"
            features.seconds = 0.2
            os.killpg(ours.process.pid, signal.SIGSTOP)
            await asyncio.sleep(FREEZING_SECONDS)
            assert (await features.load("anna", NOON)).failure == "Bigtable: no answer within 0.2 s"
            ours.process.kill()
            assert (await features.load("anna", NOON)).failure in {
                "Bigtable: UNAVAILABLE",
                "Bigtable: no answer within 0.2 s",
            }

    async def test_no_access_token(self, stack) -> None:
        class Unauthorized:
            async def headers(self) -> tuple[tuple[str, str], ...]:
                raise Transient("no access token: RefreshError")

        (port,) = free_ports(1)
        connection = Connection(BIGTABLE, grpc.aio.insecure_channel(f"{LOCALHOST}:{port}"), Unauthorized())
        stack.push_async_callback(connection.close)
        known = await BigtableFeatures(connection, TABLE, GENEROUS_SECONDS).load("anna", NOON)
        assert known == KnownFeatures(failure="no access token: RefreshError")


def chunk(value: bytes, column: bytes | None = None, micros: int = 0, more: int = 0, **status: bool) -> Chunk:
    made = Chunk(value=value, timestamp_micros=micros, value_size=more, **status)
    if column is not None:
        made.qualifier.value = column
    return made


class TestChunks:
    def test_a_value_in_parts_is_one_value(self) -> None:
        row = RowReader()
        row.take([chunk(b'"go', b"segment", 7_000_000, more=6)])
        row.take([chunk(b"l", more=6), chunk(b'd"'), chunk(b"5", b"value", 9_000_000, commit_row=True)])
        assert row.features == {
            "segment": Feature("gold", from_micros(7_000_000)),
            "value": Feature(5, from_micros(9_000_000)),
        }

    def test_of_the_cells_of_one_column_the_first_is_the_newest(self) -> None:
        row = RowReader()
        row.take([chunk(b"2", b"value", 2000), chunk(b"1", None, 1000, commit_row=True)])
        assert row.features == {"value": Feature(2, from_micros(2000))}

    def test_what_was_taken_back_is_forgotten(self) -> None:
        row = RowReader()
        row.take([chunk(b"1", b"old", 1000), chunk(b"2", b"value", 1000, more=9)])
        row.take([chunk(b"", reset_row=True), chunk(b"3", b"value", 2000, commit_row=True)])
        assert row.features == {"value": Feature(3, from_micros(2000))}

    def test_a_column_that_is_no_text_breaks_nothing(self) -> None:
        row = RowReader()
        row.take([chunk(b"1", b"\xff", 1000)])
        assert [*row.features.values()] == [Feature(1, from_micros(1000))]


@given(st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable()))
def test_a_row_is_found_by_the_user_and_lies_where_its_hash_says(user_id: str) -> None:
    key = row_key(user_id)
    assert key == sha256(user_id.encode()).hexdigest()[:4].encode() + b"#" + user_id.encode()


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_time_of_a_cell_is_a_whole_millisecond_and_not_after_its_instant(at: datetime) -> None:
    micros = cell_micros(at)
    assert micros % 1000 == 0
    assert timedelta(0) <= at - from_micros(micros) < timedelta(milliseconds=1)


@given(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
def test_a_value_survives_its_cell(value: Any) -> None:
    found = decode(encode(value))
    assert found == value
    assert type(found) is type(value)
