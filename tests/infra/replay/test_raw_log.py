"""The raw log of a replay: every message in and out, once."""

from base64 import b64encode
from datetime import UTC, datetime

import orjson

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.raw.folder import RAW, file_of
from infra.raw.line import from_line
from infra.replay.journal import FILES
from infra.replay.switch import Switch
from shared.contracts.topics import Topic
from tests.support import replays
from tests.support.replays import START, at, payment, signal, trial

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LINES = [
    trial() | {"attributes": {"source": "shop"}},
    {"topic": "payment", "data_base64": "/w==", "publish_time": at(1)},
    payment(days=13),
    payment(days=13),
    signal("u", 20, "cancel_page_viewed"),
    payment(days=43, outcome="failed", event_id="failed") | {"publish_time": at(12)},
    {"topic": "nowhere"},
    b"garbage",
    *(trial(f"u-{number}", number, number + 14) for number in range(6)),
]


def raw(done, topic):
    lines = file_of(done.folder / RAW, topic).read_bytes().splitlines(keepends=True)
    return [from_line(line) for line in lines]


def kept(folder, **options):
    return replays.run(folder, *LINES, now=NOW, keep_store=True, **options)


def log_of(done):
    return {topic: file_of(done.folder / RAW, topic).read_bytes() for topic in Topic}


def test_every_topic_has_a_file_and_a_replay_that_keeps_no_messages_has_none(tmp_path):
    assert {path.stem for path in (kept(tmp_path / "kept").folder / RAW).iterdir()} == set(Topic)
    assert not (replays.run(tmp_path / "not", *LINES).folder / RAW).exists()


def test_events_land_with_their_bytes_their_line_number_and_the_time_of_the_clock(tmp_path):
    done = kept(tmp_path)
    (first, *_) = raw(done, "trial-start")
    assert first.subscription_name == "projects/replay/subscriptions/trial-start-landing"
    assert (first.message_id, first.publish_time, first.attributes) == ("1", START, {"source": "shop"})
    assert orjson.loads(first.data) == LINES[0]["data"]
    payments = raw(done, "payment")
    assert [each.message_id for each in payments] == ["2", "3", "4", "6"]
    assert payments[0].data == b"\xff"
    # The line that came late lands when the clock delivered it.
    assert payments[-1].publish_time.isoformat() == at(20)


def test_what_was_published_lands_as_it_was_published(tmp_path):
    done = kept(tmp_path)
    for topic, name in FILES.items():
        published = (done.folder / name).read_bytes().splitlines()
        landed = raw(done, topic)
        if topic == Topic.DEAD_LETTER:  # the number of the line is not part of the message
            published = [
                orjson.dumps({k: v for k, v in orjson.loads(line).items() if k != "line"}) for line in published
            ]
        assert [each.data for each in landed] == published
        ids = [orjson.loads(each.data).get("message_id", each.message_id) for each in landed]
        assert [each.message_id for each in landed] == ids
        assert all(each.attributes["message_id"] == each.message_id for each in landed)


def test_a_tick_lands_once_however_many_processes_and_users_it_was_for(tmp_path):
    ticks = raw(kept(tmp_path, processes=3), "lifecycle-clock")
    times = [each.publish_time for each in ticks]
    assert times == sorted(set(times))
    assert {each.data for each in ticks} == {b"{}"}
    assert set(times) == {each.publish_time for each in raw(kept(tmp_path), "lifecycle-due")}


def test_two_replays_and_any_number_of_processes_write_the_same_bytes(tmp_path):
    logs = [log_of(kept(tmp_path / str(n), processes=n)) for n in (1, 2, 3)]
    again = log_of(kept(tmp_path / "1", processes=1))
    assert logs == [again] * 3


def test_a_replay_of_the_raw_events_gives_the_same_subscriptions(tmp_path):
    done = kept(tmp_path / "first")
    landed = [
        (each.publish_time, int(each.message_id), topic, each)
        for topic in ("trial-start", "payment", "churn-signal")
        for each in raw(done, topic)
    ]
    lines = [
        {
            "topic": topic,
            "data_base64": b64encode(each.data).decode(),
            "publish_time": at.isoformat(),
            "attributes": dict(each.attributes),
        }
        for at, _, topic, each in sorted(landed, key=lambda one: one[:2])
    ]
    again = replays.run(tmp_path / "again", *lines, now=NOW)
    assert again.rows("subscriptions") == done.rows("subscriptions")
    assert again.rows("triggers") == done.rows("triggers")


def test_the_catalog_lands_with_the_first_line_as_if_it_had_been_published_then(tmp_path):
    (landed,) = raw(kept(tmp_path), "catalog-published")
    told, catalog = orjson.loads(landed.data), load_catalog(DEFAULT_CATALOG)
    assert landed.publish_time == START
    assert (told["catalog_version"], told["published_at"]) == (catalog.version, "2026-01-01T00:00:00Z")
    assert told["catalog"] == orjson.loads(catalog.to_json())
    assert {each["catalog_version"] for each in kept(tmp_path).rows("decisions")} == {catalog.version}


def test_both_catalogs_of_a_switch_land_and_one_that_never_was_in_force_does_not(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("{placements: {}, offers: {}, campaigns: {}}")

    def landed(name, at_day):
        switch = Switch(DEFAULT_CATALOG, other, datetime.fromisoformat(at(at_day)))
        told = raw(kept(tmp_path / name, catalog=switch), "catalog-published")
        versions = [load_catalog(file).version for file in (DEFAULT_CATALOG, other)]
        return [
            (versions.index(orjson.loads(each.data)["catalog_version"]), each.publish_time.isoformat())
            for each in told
        ]

    assert landed("within", 5) == [(0, at(0)), (1, at(5))]
    assert landed("before", -5) == [(1, at(0))]
    assert landed("after", 400) == [(0, at(0))]


def test_a_history_without_lines_lands_no_catalog(tmp_path):
    assert raw(replays.run(tmp_path, keep_store=True), "catalog-published") == []
