"""The models over a whole history: totals, and the same rows however the history arrives."""

import json
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import groupby
from random import Random

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from infra.analytics.warehouse.checks import check, read_assertions
from infra.analytics.warehouse.load import load
from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow
from infra.raw.line import from_line
from infra.replay.journal import FILES
from infra.replay.replay import replay
from tests.support import experiment_history
from tests.support.raw_rows import MODELS, TOPICS, Warehouse, change, decision, paid

pytestmark = pytest.mark.slow
USERS = 60
OLDEST = date(1990, 1, 1)
LATE = ("payment", "decision", "subscription-change", "exposure", "trigger-feedback")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return experiment_history.replayed(tmp_path_factory.mktemp("history"), USERS)


@pytest.fixture(scope="module")
def rows(out):
    files = sorted((out / "raw").glob("*.jsonl"))
    return [(file.stem, from_line(line)) for file in files for line in file.read_bytes().splitlines(keepends=True)]


@pytest.fixture(scope="module")
def built(rows):
    warehouse = Warehouse(*rows)
    warehouse.run()
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def expected(built):
    return built.everything()


def bodies(out, name):
    """The messages of a replay's file, each once."""
    told = map(json.loads, (out / f"{name}.jsonl").read_bytes().splitlines())
    return list({body["message_id"]: body for body in told}.values())


def test_a_second_run_changes_nothing_and_a_full_refresh_gives_the_same(built, expected):
    assert {one.action for one in built.run().values()} == {"unchanged"}
    built.run(full_refresh=True)
    assert built.everything() == expected


def test_shuffled_and_doubled_rows_give_the_same_models(rows, expected):
    shuffled = rows + rows[::7]
    Random(2).shuffle(shuffled)  # noqa: S311 - a test's order
    other = Warehouse(*shuffled)
    other.run()
    assert other.everything() == expected


def test_a_log_that_comes_in_parts_gives_the_same_models_as_one_that_is_whole(rows, expected):
    in_time = sorted(rows, key=lambda row: row[1].publish_time)
    other = Warehouse()
    for _, part in groupby(enumerate(in_time), key=lambda one: one[0] * 3 // len(in_time)):
        other.land(*(row for _, row in part))
        other.run()
    assert other.everything() == expected


def late(rows, topic):
    """A row of a topic ten days before the end of all."""
    end = max(one.publish_time for _, one in rows)
    found = [row for row in rows if row[0] == topic and row[1].publish_time <= end - timedelta(days=10)]
    return max(found, key=lambda row: row[1].publish_time)


def test_messages_that_land_ten_days_late_change_their_day_and_give_what_they_would_have_given_in_time(
    rows, expected
):
    missing = {topic: late(rows, topic) for topic in LATE}
    ids = {id(one) for _, one in missing.values()}
    warehouse = Warehouse(*(row for row in rows if id(row[1]) not in ids))
    warehouse.run()
    for topic, row in missing.items():
        warehouse.land(row)
        built = warehouse.run()
        day, table = row[1].publish_time.date(), f"stg_{topic.replace('-', '_')}"
        changed = {name: one.days for name, one in built.items() if name.startswith("stg_") and one.days}
        assert changed[table] == [day]
        assert all(days == [day] for days in changed.values())
        if topic == "payment":
            incremental = {name for name, one in built.items() if one.days and MODELS[name].is_incremental}
            assert incremental == {"stg_publication", "stg_payment"}
    assert warehouse.everything() == expected


def test_a_late_first_publication_takes_the_place_of_the_later_one():
    first, again = paid("u", 0, "p", amount=1), paid("u", 0, "p", amount=1, published=20)
    warehouse = Warehouse(again, change("u", 30))
    warehouse.run("stg_payment")
    assert len(warehouse.read("stg_payment", "event_id")) == 1
    warehouse.land(first)
    built = warehouse.run("stg_payment")
    assert len(built["stg_payment"].days) == 2
    assert len(warehouse.read("stg_payment", "event_id")) == 1
    warehouse.land(paid("u", 0, "p", amount=1, published=40))
    assert warehouse.run("stg_payment")["stg_payment"].days == []


def test_the_state_of_a_day_changes_from_a_late_change_until_the_next_one():
    warehouse = Warehouse(change("u", 0.5), change("u", 8.5, "expired"), decision("v", 20.5))
    warehouse.run("subscription_daily")
    warehouse.land(change("u", 5.5, "grace"))
    built = warehouse.run("subscription_daily")
    assert [day.isoformat() for day in built["subscription_daily"].days] == [
        "2026-01-06", "2026-01-07", "2026-01-08",
    ]  # fmt: skip


def test_the_assertions_hold(built):
    now = max(built.rows("SELECT as_of FROM newest"))[0]
    outcomes = check(built.engine, read_assertions(MODELS), now=now, since=OLDEST)
    failed = {one.name: one.failures for one in outcomes if not one.holds}
    # A history that ends has days of fewer messages.
    assert failed.keys() <= {"stg_publication.volume"}


def test_every_message_is_in_its_table_once(built, out):
    for topic, name in FILES.items():
        table = f"stg_{topic.replace('-', '_')}"
        assert Counter(row[0] for row in built.read(table, "message_id")) == Counter(
            body["message_id"] for body in bodies(out, name.removesuffix(".jsonl"))
        )
    assert built.read("stg_unparsed", "COUNT(*) AS n") == [(0,)]


def test_events_that_count_are_those_that_the_replay_applied(built, out):
    summary = json.loads((out / "summary.json").read_bytes())
    tables = ("stg_payment", "stg_churn_signal", "stg_trigger_feedback")
    taken = sum(len(built.read(table, "event_id", "rejected IS NULL")) for table in tables)
    # An impression after the first of a trigger, and feedback on what is answered, are applied or late.
    assert taken == summary["applied"] + summary["late"]
    refused = sum(len(built.read(table, "event_id", "rejected IS NOT NULL")) for table in tables)
    assert refused <= summary["dead_lettered"]


def test_triggers_and_feedback_are_counted_as_in_the_replays_files(built, out):
    summary = json.loads((out / "summary.json").read_bytes())
    stages = defaultdict(int)
    for stage, number in built.read("funnel", "stage, number"):
        stages[stage] += number
    assert stages["issued"] == summary["triggers_issued"]
    assert stages["revoked"] == summary["triggers_revoked"]
    told = Counter(body["kind"] for body in bodies(out, "exposures"))
    assert stages["seen"] == told["impression"]
    assert stages["dismissed"] == told["dismissed"]
    candidates = [one for body in bodies(out, "decisions") for one in body["candidates"]]
    assert stages["considered"] == len(candidates)
    assert stages["lost"] == sum(one["outcome"] == "lost" for one in candidates)


def test_moments_are_those_of_the_changes(built, out):
    told = [moment | {"user": body["user_id"]} for body in bodies(out, "changes") for moment in body["moments"]]
    assert sorted(built.read("moments", "user_id, subscription_id, kind, cause")) == sorted(
        {(one["user"], one["subscription_id"], one["kind"], one["cause"]) for one in told}
    )


def test_who_is_in_an_experiment_is_what_a_reader_of_the_decisions_finds(built, out):
    first = {}
    for body in sorted(bodies(out, "decisions"), key=lambda one: one["sequence"]):
        for one in sorted(body["candidates"], key=lambda one: one["campaign_id"]):
            if "given" not in one or "experiment_id" not in one:
                continue
            unit = body["user_id"] + (f"/{one['subscription_id']}" if one["unit"] == "subscription" else "")
            place = (one["experiment_id"], unit)
            won = one["given"] or one["reason"] == "holdout"
            known = first.get(place)
            if known is None or (won and not known[0]):
                first[place] = (won, one["variant"], body["decision_id"], one["given"])
    found = built.read(
        "exposures",
        "experiment_id, unit_id, variant, decision_id, given",
        "NOT STARTS_WITH(experiment_id, 'holdout/')",
    )
    assert {row[:2]: row[2:] for row in found} == {place: told[1:] for place, told in first.items()}
    assert {row[0] for row in found} == {"gift", "words", "per-sub"}


def test_the_status_of_a_user_is_that_of_the_newest_change(built, out):
    newest = {body["user_id"]: body for body in sorted(bodies(out, "changes"), key=lambda one: one["sequence"])}
    found = {row[0]: row[1:] for row in built.read("user_features", "user_id, status, entitled")}
    assert found == {user: (body["user_status"], body["user_entitled"]) for user, body in newest.items()}
    (last,) = built.read("subscription_daily", "MAX(day) AS day")
    at_the_end = {
        row[0]: row[1] for row in built.read("subscription_daily", "user_id, user_status", "day = @d", d=last[0])
    }
    assert at_the_end.items() <= {user: body["user_status"] for user, body in newest.items()}.items()
    assert at_the_end


def test_revenue_is_what_was_paid_less_what_went_back(built, out):
    events = [json.loads(line) for line in (out.parent / "events.jsonl").read_bytes().splitlines()]
    payments = {each["data"]["event_id"]: each["data"] for each in events if each["topic"] == "payment"}
    paid_by_id = {one["payment_id"]: one for one in payments.values() if one["outcome"] == "succeeded"}
    amounts, back = Counter(), Counter()
    for one in payments.values():
        if one["outcome"] == "succeeded":
            amounts[one["currency"]] += one["amount"]
        if one["outcome"] == "refunded":
            back[paid_by_id[one["payment_id"]]["currency"]] += paid_by_id[one["payment_id"]]["amount"]
    found = Counter(), Counter()
    for currency, amount, refunded in built.read("revenue", "currency, amount, refunded_amount"):
        found[0][currency] += amount
        found[1][currency] += refunded
    assert found == (amounts, back)


def test_the_demos_history_adds_up_to_its_summary_and_its_files(tmp_path):
    """A tenth of the customers suffices."""
    history = tmp_path / "events.jsonl"
    lines = [line for line in cdnow.events() if line["data"]["user_id"].endswith("0")]
    history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    replay(history, tmp_path, DEFAULT_CATALOG, keep_store=True)
    warehouse = Warehouse()
    load(warehouse.engine, tmp_path, TOPICS)
    warehouse.run("funnel", "revenue", "moments")
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    stages = Counter()
    for stage, number in warehouse.read("funnel", "stage, number"):
        stages[stage] += number
    assert stages["issued"] == summary["triggers_issued"]
    assert stages["revoked"] == summary["triggers_revoked"]
    assert len(warehouse.read("stg_payment", "event_id", "rejected IS NULL")) == summary["applied"]
    cents = sum(line["data"]["amount"] for line in lines)
    assert warehouse.read("revenue", "SUM(payments) AS payments, SUM(amount) AS amount") == [
        (summary["events_read"], cents)
    ]
    told = sum(len(body["moments"]) for body in bodies(tmp_path, "changes"))
    assert warehouse.read("moments", "COUNT(*) AS n") == [(told,)]
