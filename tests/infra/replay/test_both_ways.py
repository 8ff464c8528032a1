"""A replay below HTTP writes what one through the real functions on SQLite writes, byte for byte."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
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
from shared.domain.errors import Transient
from shared.domain.events import Event
from shared.processing.process import Processed, process
from shared.record.bounds import fit
from shared.record.user_record import UserRecord
from tests.infra.replay.test_replay import MANY
from tests.infra.replay.test_replay_property import lines
from tests.support import catalogs, histories, replays
from tests.support.event_lines import line_of
from tests.support.functions_runtime import FunctionsRuntime, StoredRecords
from tests.support.lives import lives

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


@settings(max_examples=20)
@given(lines)
def test_of_any_lines(history: list[Any]) -> None:
    with TemporaryDirectory() as name:
        check_both_ways(Path(name), history)


@settings(max_examples=40)
@given(
    st.lists(histories.histories(behaving=True) | lives(), min_size=1, max_size=3),
    st.sampled_from(["everything", "timed", "default"]),
    st.data(),
)
def test_of_several_users_with_duplicates_and_feedback(
    users: list[list[Event]], catalog: str, data: st.DataObject
) -> None:
    told = [line_of(event, f"user-{number}") for number, user in enumerate(users) for event in user]
    told += data.draw(st.lists(st.sampled_from(told), max_size=5))
    told.sort(key=lambda line: str(line["data"]["occurred_at"]))
    with TemporaryDirectory() as name, patched(load_catalogs=lambda *_: catalogs.CATALOGS[catalog]):
        offered = replays.run(Path(name) / "before", *told, now=END, processes=1).rows("triggers")
        check_both_ways(Path(name), [*told, *replays.feedback(offered)])


@settings(max_examples=15)
@given(lives(max_size=30), st.integers(200, 3000))
def test_of_documents_near_their_bound(life: list[Event], limit: int) -> None:
    """What a document has no room for is dropped by the same commits, and published again by them."""
    told = [line_of(event) for event in life]
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.application.handle_event.fit", partial(fit, limit=limit))
        check_both_ways(Path(name), told)


def test_of_more_users_than_memory_has_room_for(tmp_path: Path) -> None:
    with patched(MemoryRecords=partial(MemoryRecords, max_records=3)):
        check_both_ways(tmp_path, [*MANY, *MANY[:9]])


def test_of_a_switch_to_another_catalog(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    switch = Switch(DEFAULT_CATALOG, empty, replays.START + 20 * histories.DAY)
    check_both_ways(tmp_path, MANY, switch)


@pytest.mark.parametrize("size", [50_000, 500_000, 749_000, 760_000, 2_000_000])
def test_of_messages_larger_than_an_event_or_a_request_may_be(tmp_path: Path, size: int) -> None:
    large = {"topic": "payment", "data": {"padding": "ä" * size}}
    described = {"topic": "payment", "data": {}, "attributes": {"note": "\x01" * (size // 5)}}
    check_both_ways(tmp_path, [large, described, replays.payment()])


def test_of_failures_that_last_or_pass(tmp_path: Path) -> None:
    """What fails is delivered again, up to five times, and then kept in the dead letter."""
    attempts = Counter[Event]()

    def unreliable(record: UserRecord, event: Event, *given: Any) -> Processed:
        attempts[event] += 1
        if event.key.event_id == "p2":
            raise KeyError("a bug")
        if event.key.event_id == "p3" and attempts[event] % 3:
            raise Transient("it does not answer")
        return process(record, event, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.application.handle_event.process", unreliable)
        patch.setattr("infra.replay.part.only_errors_logged", _nothing_logged)
        check_both_ways(tmp_path, MANY)
    assert {count for event, count in attempts.items() if event.key.event_id == "p2"} == {2 * 5}
    assert {count for event, count in attempts.items() if event.key.event_id == "p3"} == {2 * 3}


@contextmanager
def _nothing_logged() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
def test_of_the_demo(tmp_path: Path) -> None:
    """The made-up story, and every purchase of some of the customers of the real history."""
    purchases = [line for line in cdnow.events() if str(line["data"]["user_id"]).endswith("77")]
    check_both_ways(tmp_path / "history", purchases)
    check_both_ways(tmp_path / "story", [orjson.dumps(line) for line in story.load().events])
