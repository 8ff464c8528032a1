"""Properties of every replay: no line of a history is lost, and the output depends on its lines only."""

import json
import math
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.load import DEFAULT_CATALOG
from infra.replay.journal import FILES, SUBSCRIPTIONS
from infra.replay.part import RUNS, PartTask, run_part
from infra.replay.sorted_runs import merge
from tests.support import replays
from tests.support.replays import START, payment, signal, trial, write

users = st.sampled_from(["a", "b", "a-b", "c"])
days = st.integers(0, 60).map(lambda halves: halves / 2)
ids = st.sampled_from(["e-1", "e-2", "e-3", "e-4"])
outcomes = st.sampled_from(["succeeded", "succeeded", "failed", "pending", "refunded"])
signals = st.sampled_from(
    ["auto_renew_off", "auto_renew_on", "cancelled", "cancel_page_viewed", "pause_scheduled"]
)
events = (
    st.builds(trial, users, days, st.integers(31, 40), ids)
    | st.builds(payment, users, days, outcomes, ids)
    | st.builds(signal, users, days, signals, ids)
)
junk = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({"a": {}})
broken_fields = st.fixed_dictionaries(
    {},
    optional={
        "topic": junk,
        "attributes": junk | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        "publish_time": junk
        | st.sampled_from(["2026-01-05T00:00:00", "2026-01-05T00:00:00Z", "1970-01-01T00:00:00Z"]),
        "data": junk,
        "data_base64": junk
        | st.sampled_from(["e30=", "e30"])
        | st.binary(max_size=9).map(lambda it: b64encode(it).decode()),
    },
)
wild = junk | st.sampled_from(
    [
        math.nan,
        math.inf,
        10**40,
        -1,
        "\ud800",
        "9999-12-31T23:59:59Z",
        "1989-12-31T23:59:59Z",
        [[[[]]]],
        "x" * 70_000,
    ]
)
fields = st.sampled_from(
    [
        "event_id",
        "user_id",
        "occurred_at",
        "trial_ends_at",
        "period_end",
        "amount",
        "signal",
        "subscription_id",
        "new",
    ]
)


def with_field(event, field, value):
    return event | {"data": event["data"] | {field: value}}


raw = st.binary(max_size=30).map(lambda it: it.replace(b"\n", b"").replace(b"\r", b""))
huge = st.just(b'{"topic": "payment", "data": "' + b"x" * 200_000 + b'"}')
lines = st.lists(
    events
    | st.builds(lambda event, broken: event | broken, events, broken_fields)
    | st.builds(with_field, events, fields, wild)
    | broken_fields
    | raw
    | huge,
    max_size=14,
)


def outputs(folder):
    return {name: (folder / name).read_bytes() for name in (*FILES.values(), SUBSCRIPTIONS)}


@settings(max_examples=40)
@given(lines)
def test_every_line_is_applied_known_late_or_in_the_dead_letter(history):
    with TemporaryDirectory() as folder:
        # One process, because two huge lines would otherwise start two more, which takes seconds.
        done = replays.run(Path(folder), *history, now=START + timedelta(days=60), processes=1)
        read = [line for line in (Path(folder) / "events.jsonl").read_bytes().split(b"\n") if line.strip()]
        letters = done.rows("dead-letter")
    summary = done.summary
    assert summary.events_read == len(read)
    outcomes = (summary.applied, summary.duplicates, summary.late, summary.ignored, summary.dead_lettered)
    assert summary.events_read == sum(outcomes)
    assert len(letters) == summary.dead_lettered


@settings(max_examples=15)
@given(lines, st.integers(2, 4))
def test_however_the_users_are_shared_out_the_same_is_written(history, parts):
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = write(folder / "events.jsonl", history)
        for count in (1, parts):
            of_count = folder / f"of-{count}"
            of_count.mkdir()
            for number in range(count):
                task = PartTask(path, DEFAULT_CATALOG, None, number, count, of_count / str(number))
                run_part(task, lambda _: None)
            for output in (*FILES.values(), SUBSCRIPTIONS):
                merge([*of_count.glob(f"*/{RUNS}/*/{output}")], of_count / output)
        assert outputs(folder / f"of-{parts}") == outputs(folder / "of-1")


@settings(max_examples=15)
@given(st.lists(events, min_size=1, max_size=10), st.data())
def test_the_order_and_the_number_of_deliveries_change_no_subscription(history, data):
    told = {json.dumps(line): line for line in history}
    identities = {(line["topic"], line["data"]["event_id"], line["data"]["user_id"]) for line in told.values()}
    if len(identities) < len(told):
        return  # an id that was reused is refused, whichever of the two comes first
    published = [line | {"publish_time": replays.at(40)} for line in told.values()]
    again = data.draw(st.permutations([*published, *data.draw(st.lists(st.sampled_from(published), max_size=4))]))
    with TemporaryDirectory() as name:
        runs = [
            replays.run(Path(name) / str(n), *each, now=START + timedelta(days=70))
            for n, each in enumerate((published, again))
        ]
        first, second = (run.files()["subscriptions"] for run in runs)
    assert first == second
