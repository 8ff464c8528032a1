"""A replay without HTTP and documents writes what one through the real functions on SQLite writes, byte for byte."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infra.replay.part
from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow, story
from infra.replay.replay import SUMMARY
from infra.replay.switch import Switch
from shared import wiring
from shared.adapters.memory_records import MemoryRecords
from tests.infra.replay.test_replay_property import lines
from tests.support import catalogs, histories, replays
from tests.support.functions_runtime import FunctionsRuntime, StoredRecords

END = replays.START + 400 * histories.DAY


@contextmanager
def patched(**names: Any) -> Iterator[None]:
    """Other classes in the module that runs a part of a replay."""
    with pytest.MonkeyPatch.context() as patch:
        for name, other in names.items():
            patch.setattr(infra.replay.part, name, other)
        yield
    wiring.use(None)


def through_the_functions() -> Any:
    return patched(EmbeddedRuntime=FunctionsRuntime, MemoryRecords=StoredRecords)


def written(folder: Path, history: list[Any], catalog: Path | Switch) -> dict[str, bytes]:
    """Every file that a replay writes, the summary without its speed."""
    options = {"catalog": catalog, "now": END, "processes": 1, "keep_store": True}
    out = replays.run(folder, *history, **options).folder
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    summary = json.loads(files[SUMMARY])
    del summary["events_per_second"]
    return files | {SUMMARY: json.dumps(summary).encode()}


def check_both_ways(folder: Path, history: list[Any], catalog: Path | Switch = DEFAULT_CATALOG) -> None:
    fast = written(folder / "fast", history, catalog)
    with through_the_functions():
        slow = written(folder / "slow", history, catalog)
    assert [name for name in slow if fast.get(name) != slow[name]] == []
    assert fast == slow


@settings(max_examples=25)
@given(lines)
def test_of_any_lines(history: list[Any]) -> None:
    with TemporaryDirectory() as name:
        check_both_ways(Path(name), history)


def line_of(event: Any) -> dict[str, Any]:
    return event
