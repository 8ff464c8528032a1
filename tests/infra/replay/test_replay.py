import json
import os
import sqlite3
import subprocess
import sys
import threading
from base64 import b64decode
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.catalog.load import DEFAULT_CATALOG
from infra.demo import cdnow
from infra.replay.history_file import CLOCK_START
from infra.replay.replay import SMALL_FILE, _default_processes, replay
from infra.replay.stores import STORE, read_document
from infra.replay.switch import Switch, load_catalogs
from shared.record.codec import unpack
from tests.support import replays
from tests.support.replays import START, erasure, payment, signal, trial
from tests.support.watching import alive, descendants, eventually

NAMED = (
    "events_read",
    "applied",
    "duplicates",
    "late",
    "ignored",
    "dead_lettered",
    "triggers_issued",
    "triggers_revoked",
)
MANY = [
    line
    for number in range(12)
    for line in (
        trial(f"u-{number}", number / 4, number / 4 + 14),
        payment(f"u-{number}", number / 4 + 13, event_id="p1"),
        payment(f"u-{number}", number / 4 + 43, "failed" if number % 2 else "succeeded", event_id="p2"),
        payment(f"u-{number}", number / 4 + 43.1, "failed" if number % 2 else "succeeded", event_id="p3"),
        signal(f"u-{number}", number / 4 + 44, "auto_renew_off"),
    )
]


@pytest.fixture
def run(tmp_path):
    return lambda *lines, **options: replays.run(tmp_path, *lines, **options)


def test_every_user_stands_where_the_end_finds_them(run):
    done = run(trial("b"), payment("a", 0), now=START + timedelta(days=15))
    first, second = done.rows("subscriptions")
    assert (first["user_id"], first["status"], first["entitled"], first["plan"]) == (
        "a",
        "active",
        True,
        "premium",
    )
    assert (first["period_end"], first["trial_ends_at"]) == ("2026-01-31T00:00:00Z", None)
    assert (second["user_id"], second["status"], second["trial_used"]) == ("b", "grace", True)
    assert (second["trial_ends_at"], second["auto_renew"]) == ("2026-01-15T00:00:00Z", True)
    assert "subscriptions" not in first


def test_several_subscriptions_of_a_user_are_all_told(run):
    done = run(payment("u", 0), payment("u", 0, "pending", "other", subscription_id="family"))
    (user,) = done.rows("subscriptions")
    assert [(one["subscription_id"], one["status"]) for one in user["subscriptions"]] == [
        ("family", "pending"),
        ("main", "active"),
    ]


def test_what_falls_due_between_two_events_happens_at_its_own_time(run):
    done = run(trial(), payment("another", 20, event_id="later"))
    reminders = [trigger["decided_at"] for trigger in done.rows("triggers") if trigger["kind"] == "issued"]
    assert reminders == ["2026-01-12T00:00:00Z", "2026-01-14T00:00:00Z"]


@pytest.mark.parametrize(("days", "offers"), [(10, 0), (11, 0), (11.5, 1)], ids=["before", "at", "after"])
def test_another_catalog_is_in_force_from_the_instant_of_a_switch_on(tmp_path, days, offers):
    """A reminder is due on day 11. The catalog that takes over has no campaign for it."""
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    at = START + timedelta(days=days)
    done = replays.run(
        tmp_path, trial(), catalog=Switch(DEFAULT_CATALOG, empty, at), now=START + timedelta(days=12)
    )
    assert sum(row["kind"] == "issued" for row in done.rows("triggers")) == offers


def test_the_catalog_after_a_switch_has_the_higher_number(tmp_path):
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    at = START + timedelta(days=1)
    catalogs = load_catalogs(Switch(DEFAULT_CATALOG, empty, at))
    assert [catalogs.at(instant).number for instant in (START, at)] == [0, 1]


def test_at_one_instant_events_come_before_what_falls_due(run):
    done = run(trial("u", 0, 14), signal("u", 11, "auto_renew_off"), trial("other", 11, 25), now=START)
    causes = [trigger["event"]["topic"] for trigger in done.rows("triggers")]
    assert causes == ["churn-signal"]  # the reminder of that instant was decided with the event


def test_the_end_is_included(run):
    assert len(run(trial(), now=START + timedelta(days=11)).rows("triggers")) == 1


def test_just_before_the_end_nothing_is_due(run):
    assert run(trial(), now=START + timedelta(days=11, microseconds=-1)).rows("triggers") == []


def test_an_end_before_the_last_event_moves_nothing(run):
    line = trial() | {"publish_time": replays.at(3)}
    assert run(line, now=START).summary.now == START + timedelta(days=3)


def test_file_order_is_the_order_of_delivery(run):
    late = payment("u", 0, event_id="early") | {"publish_time": replays.at(5)}
    done = run(payment("u", 1, event_id="second") | {"publish_time": replays.at(5)}, late)
    assert [change["event"]["event_id"] for change in done.rows("changes")] == ["second", "early"]
    assert done.summary.applied == 2


def test_sandbox_events_are_counted_and_change_nothing(run):
    done = run(trial(), payment(environment="sandbox"))
    assert (done.summary.events_read, done.summary.applied, done.summary.ignored) == (2, 1, 1)
    assert [user["first_paid_at"] for user in done.rows("subscriptions")] == [None]


def test_an_erasure_leaves_a_tombstone_and_what_is_older_is_ignored(run):
    late = payment("u", 19, event_id="late") | {"publish_time": replays.at(25)}
    done = run(trial("u"), payment("other", 1), erasure(), late, erasure(published=26), keep_store=True)
    assert (done.summary.applied, done.summary.ignored, done.summary.duplicates) == (3, 1, 1)
    assert [user["user_id"] for user in done.rows("subscriptions")] == ["other"]
    stored = read_document(done.folder / STORE, "u")
    assert (stored.blob, stored.erased_at) == (None, START + timedelta(days=20))
    assert [change["decided_at"] for change in done.rows("changes") if change["user_id"] == "u"][-1] < replays.at(
        20
    )


def test_a_user_who_comes_back_after_an_erasure_starts_afresh(run):
    back = payment("u", 30, event_id="back")
    done = run(trial("u"), erasure(), back)
    subscriptions, sequences = done.rows("subscriptions"), [one["sequence"] for one in done.rows("changes")]
    assert len(sequences) > 2
    assert sequences == sorted(sequences)
    assert subscriptions == run(back).rows("subscriptions")


def test_a_late_erasure_leaves_what_occurred_after_it(run):
    back = payment("u", 30, event_id="back")
    done = run(trial("u"), back, erasure(published=35))
    subscriptions, changes = done.rows("subscriptions"), done.rows("changes")
    told_anew = [(change["before"]["status"], change["facts"]["status"]) for change in changes]
    assert told_anew[-1] == ("none", "active")
    assert changes[-1]["decided_at"] == replays.at(35).replace("+00:00", "Z")
    assert subscriptions == run(back, now=START + timedelta(days=35)).rows("subscriptions")


def test_an_event_dated_ahead_of_the_clock_is_refused(run):
    done = run(payment("u", 10) | {"publish_time": replays.at(0)})
    assert [letter["reason"] for letter in done.rows("dead-letter")] == ["future_dated"]


def test_the_end_of_time_stops_nothing(run):
    end = "9999-12-31T23:59:59.999999Z"
    done = run(trial(ends=13), payment(occurred_at=end, period_end=end), payment("another", 0))
    assert done.summary.applied == 3
    assert [user["status"] for user in done.rows("subscriptions")] == ["expired", "expired"]


def test_the_summary_counts_what_became_of_each_line(run):
    reused = payment(amount=5)
    done = run(trial(), payment(), payment(), b"garbage", b"", reused, now=START + timedelta(days=60))
    told = json.loads((done.folder / "summary.json").read_bytes())
    assert {name: told[name] for name in NAMED[:6]} == {
        "events_read": 5,
        "applied": 2,
        "duplicates": 1,
        "late": 0,
        "ignored": 0,
        "dead_lettered": 2,
    }
    triggers = {(trigger["kind"], trigger["trigger_id"]) for trigger in done.rows("triggers")}
    kinds = [kind for kind, _ in triggers]
    assert (told["triggers_issued"], told["triggers_revoked"]) == (kinds.count("issued"), kinds.count("revoked"))
    assert told["events_per_second"] > 0
    assert told["now"] == "2026-03-02T00:00:00Z"
    assert {path.name for path in done.folder.iterdir()} == {
        "summary.json",
        *(f"{n}.jsonl" for n in replays.OUTPUTS),
    }


def test_a_trigger_that_is_published_again_counts_once(tmp_path):
    """A duplicate publishes again what may not be out."""
    once = replays.run(tmp_path / "once", trial(ends=3), payment(days=3, outcome="failed"))
    twice = [trial(ends=3), payment(days=3, outcome="failed"), payment(days=3, outcome="failed")]
    again = replays.run(tmp_path / "twice", *twice)
    assert once.summary.triggers_issued > 0
    assert again.summary.triggers_issued == once.summary.triggers_issued


def test_a_dead_letter_keeps_the_bytes_and_names_the_line(run):
    unknown = {"topic": "paymnet", "data": {"a": 1}, "attributes": {"source": "shop"}}
    broken = {"topic": "payment", "data": {"user_id": "u"}, "attributes": {"source": "shop"}}
    letters = run(b"{not json", b"", unknown, broken).rows("dead-letter")
    told = [(letter["line"], letter["reason"], letter["topic"], letter["attributes"]) for letter in letters]
    assert told == [
        (1, "not_json", "", {}),
        (3, "unknown_topic", "paymnet", {"source": "shop"}),
        (4, "invalid", "payment", {"source": "shop"}),
    ]
    data = [b64decode(letter["data_base64"]) for letter in letters]
    assert data == [b"{not json", b'{"a": 1}', b'{"user_id": "u"}']


def test_an_empty_history_gives_zeros(run):
    done = run()
    assert [getattr(done.summary, name) for name in NAMED] == [0] * len(NAMED)
    assert (done.summary.events_per_second, done.summary.now) == (0, CLOCK_START)
    assert set(done.files().values()) == {b""}


@pytest.mark.slow
def test_any_number_of_processes_writes_the_same_bytes(tmp_path):
    garbage = [b"garbage", {"topic": "payment", "data": {"user_id": "u-3"}}, {"topic": "x"}, b"\xff"]
    lines = [*MANY, *garbage, *MANY[:9]]
    runs = [
        replays.run(tmp_path / str(n), *lines, processes=n, keep_store=True, now=datetime(2026, 6, 1, tzinfo=UTC))
        for n in (1, 2, 3)
    ]
    one, *others = [(run.files(), (run.folder / STORE).read_bytes()) for run in runs]
    assert all(one[0].values())
    assert others == [one, one]
    assert runs[0].summary.dead_lettered == 4
    assert all(
        getattr(run.summary, name) == getattr(runs[0].summary, name) for run in runs for name in (*NAMED, "now")
    )


def test_only_a_large_file_takes_every_processor(tmp_path):
    (tmp_path / "small").write_bytes(b"x" * SMALL_FILE)
    (tmp_path / "large").write_bytes(b"x" * (SMALL_FILE + 1))
    counts = [_default_processes(tmp_path / name) for name in ("small", "large")]
    assert counts == [1, len(os.sched_getaffinity(0))]


@pytest.mark.slow
@pytest.mark.parametrize("others", ["", "threading.Thread(target=threading.Event().wait, daemon=True).start()"])
def test_processes_are_forked_or_spawned_and_write_the_same_bytes(tmp_path, others):
    """A fork is unsafe with other threads; without them it saves each process its start-up time."""
    here = replays.run(tmp_path / "here", *MANY, processes=1)
    program = f"""if True:
        import multiprocessing, sys, threading
        from pathlib import Path
        from infra.catalog.load import DEFAULT_CATALOG
        from infra.replay.replay import replay
        {others}
        asked = []
        get_context = multiprocessing.get_context
        multiprocessing.get_context = lambda method: asked.append(method) or get_context(method)
        replay(Path(sys.argv[1]), Path(sys.argv[2]), DEFAULT_CATALOG, processes=2)
        print(*asked)
    """
    events = replays.write(tmp_path / "events.jsonl", MANY)
    arguments = [sys.executable, "-c", program, str(events), str(tmp_path / "there")]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    alone = Path("/proc/self/task").is_dir() and not others
    assert ran.stdout == ("fork\n" if alone else "spawn\n")
    assert replays.Outcome(here.summary, tmp_path / "there").files() == here.files()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux tells the children of a process")
def test_a_replay_that_is_killed_leaves_no_process_behind(tmp_path):
    events = replays.write(tmp_path / "events.jsonl", [*cdnow.events()])
    command = ["replay", str(events), "--out", str(tmp_path / "out"), "--processes", "2"]
    with subprocess.Popen([sys.executable, "-m", "infra", *command]) as watching:  # noqa: S603 - ours
        assert eventually(lambda: len(descendants(watching.pid)) == 2)
        parts = descendants(watching.pid)
        watching.kill()
    assert eventually(lambda: not any(map(alive, parts)))
    (scratch,) = (tmp_path / "out").glob(".replay-*")
    other = scratch.with_name(f".replay-{os.getpid()}-other")
    other.mkdir()
    replay(replays.write(tmp_path / "few.jsonl", [trial()]), tmp_path / "out", DEFAULT_CATALOG)
    assert not scratch.exists(), "the next replay into the folder removes what the killed one left"
    assert other.exists(), "the scratch folder of a replay that still runs stays"


def test_a_second_run_overwrites_the_first(run):
    run(trial("old"), keep_store=True)
    done = run(trial("new"), keep_store=True)
    assert [user["user_id"] for user in done.rows("subscriptions")] == ["new"]
    assert read_document(done.folder / STORE, "old") is None


def test_a_kept_store_holds_every_document_in_one_plain_file(run):
    done = run(trial(), keep_store=True)
    assert unpack(read_document(done.folder / STORE, "u").blob).user_id == "u"
    assert read_document(done.folder / STORE, "nobody") is None
    assert sqlite3.connect(done.folder / STORE).execute("pragma journal_mode").fetchone() == ("delete",)


def test_progress_grows_from_nothing_to_all(tmp_path):
    told = []
    replays.run(tmp_path, *(trial(f"u-{number}") for number in range(130)), progress=told.append)
    assert len(told) == 2 + 130
    assert told == sorted(told)
    assert (told[0] > 0, told[-1]) == (True, 1)


def test_events_may_come_through_a_pipe(tmp_path):
    file = replays.write(tmp_path / "events.jsonl", MANY)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(file.read_bytes()))
    writer.start()
    piped, whole = (
        replay(events, tmp_path / events.name[0], DEFAULT_CATALOG) for events in (tmp_path / "pipe", file)
    )
    writer.join()
    assert asdict(piped) | {"events_per_second": 0} == asdict(whole) | {"events_per_second": 0}
    assert piped.events_read == len(MANY)


def test_dead_letters_make_no_noise(run, capfd):
    run(b"garbage", payment(amount="much"))
    assert capfd.readouterr() == ("", "")
