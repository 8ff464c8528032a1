"""A replay below HTTP writes what one through the real functions on SQLite writes, byte for byte."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow, story
from infra.replay.part import PartTask
from infra.replay.replay import SUMMARY
from infra.replay.sorted_runs import SortedRuns
from infra.replay.switch import Switch
from infra.replay.world import CatalogHistory
from shared.domain.errors import Transient
from shared.domain.events import Event
from shared.processing.process import Processed, process
from shared.record.bounds import fit
from shared.record.user_record import UserRecord
from tests.infra.replay.test_replay import MANY
from tests.infra.replay.test_replay_property import lines
from tests.support import catalogs, histories, replays
from tests.support.event_lines import line_of
from tests.support.functions_runtime import ATTEMPTS, replay_through_functions
from tests.support.lives import lives

END = replays.START + 400 * histories.DAY


@contextmanager
def patched(*places: str, by: Any) -> Iterator[None]:
    """Something else in these modules, while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        for place in places:
            patch.setattr(place, by)
        yield


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file that a replay wrote but the summary."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != SUMMARY)
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def check_both_ways(folder: Path, history: list[Any], catalog: Path | Switch = DEFAULT_CATALOG) -> None:
    done = replays.run(folder, *history, catalog=catalog, now=END, processes=1, keep_store=True)
    task = PartTask(folder / "events.jsonl", catalog, END, 0, 1, folder, keeps_store=True)
    counted, ended_at = replay_through_functions(task, folder / "slow")
    fast, slow = files_in(done.folder), files_in(folder / "slow")
    assert [name for name in slow if fast.get(name) != slow[name]] == []
    assert fast.keys() == slow.keys()
    of_kind = Counter(row["kind"] for row in done.rows("triggers"))
    assert asdict(done.summary) | {"events_per_second": 0} == {
        "events_read": counted.total(),
        "applied": counted["applied"],
        "duplicates": counted["duplicate"],
        "late": counted["late"],
        "ignored": counted["ignored"],
        "dead_lettered": counted["dead_lettered"],
        "triggers_issued": of_kind["issued"],
        "triggers_revoked": of_kind["revoked"],
        "events_per_second": 0,
        "now": ended_at,
    }


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
    catalog_of_all = CatalogHistory(catalogs.CATALOGS[catalog])
    with TemporaryDirectory() as name, patched("infra.replay.part.load_catalogs", by=lambda _: catalog_of_all):
        offered = replays.run(Path(name) / "before", *told, now=END, processes=1).rows("triggers")
        check_both_ways(Path(name), [*told, *replays.feedback(offered)])


@settings(max_examples=15)
@given(lives(max_size=30), st.integers(200, 3000))
def test_of_documents_near_their_bound(life: list[Event], limit: int) -> None:
    """What a document has no room for is dropped by the same commits, and published again by them."""
    told = [line_of(event) for event in life]
    both = "shared.application.handle_event.fit", "infra.replay.life.fit"
    with TemporaryDirectory() as name, patched(*both, by=partial(fit, limit=limit)):
        check_both_ways(Path(name), told)


def test_of_more_lines_than_memory_has_room_for(tmp_path: Path) -> None:
    few = patched("infra.replay.part.SortedRuns", by=partial(SortedRuns, run_bytes=3000))
    with few, patched("infra.replay.sorted_runs.MAX_OPEN", by=3):
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


def test_of_failures(tmp_path: Path) -> None:
    """A message that fails is delivered again, and then kept in the dead letter; a pure life tries it once."""
    attempts = Counter[str]()

    def unreliable(record: UserRecord, event: Event, *given: Any) -> Processed:
        attempts[event.key.event_id] += 1
        if event.key.event_id == "p2":
            raise KeyError("a bug")
        if event.key.event_id == "p3":
            raise Transient("it does not answer")
        return process(record, event, *given)

    logging.disable()
    with patched("shared.application.handle_event.process", "infra.replay.life.process", by=unreliable):
        check_both_ways(tmp_path, MANY)
    logging.disable(logging.NOTSET)
    users = len(MANY) // 5
    assert attempts["p2"] == attempts["p3"] == users * (1 + ATTEMPTS)


@pytest.mark.slow
def test_of_the_demo(tmp_path: Path) -> None:
    """The made-up story, and every purchase of some of the customers of the real history."""
    purchases = [line for line in cdnow.events() if str(line["data"]["user_id"]).endswith("77")]
    check_both_ways(tmp_path / "history", purchases)
    check_both_ways(tmp_path / "story", [orjson.dumps(line) for line in story.load().events])
