import json
from datetime import timedelta

import pytest

from infra.raw.folder import RAW
from infra.replay.stores import STORE
from shared.decisioning.arbitration import trigger_id
from shared.domain.events import cause_of
from tests.infra.commands.pages import NARROW
from tests.support import replays
from tests.support.replays import START, at, erasure, event, payment, signal, trial


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A replay whose store was kept, with one user who has been through a few things."""
    shown = trigger_id("u", cause_of("payment", "", "failed"), "payment_recovery")
    return replays.run(
        tmp_path_factory.mktemp("kept"),
        trial() | {"data": trial()["data"] | {"profile": {"country": "SE"}}},
        payment(days=13),
        payment(days=43, outcome="failed", event_id="failed"),
        signal("u", 43.25, "inactivity"),
        event("trigger-feedback", "u", 43.5, "feedback", trigger_id=shown, kind="impression"),
        payment("other", 43.5, subscription_id="family"),
        now=START + timedelta(days=44),
        keep_store=True,
    ).folder


def test_a_page_tells_state_timeline_triggers_and_what_is_due(run, kept):
    done = run("show", "u", "--store", str(kept), env=NARROW)
    assert done.exit_code == 0
    page = " ".join(done.stdout.split())
    for words in (
        "u as of 2026-02-14 00:00 UTC",
        "status grace",
        "plan premium",
        "country SE",
        "event trial started: premium, until 2026-01-15 00:00",
        "event signal: inactivity",
        "state active -> grace",
        "offer payment_recovery: update_payment_method in email (payment.failed)",
        "no offer pause_instead_of_cancel (churn_risk.raised): not in its audience (active)",
        "payment_recovery impression until 2026-02-16 00:00 impression",
        "feedback payment_recovery: impression (trigger",
        "moment trial.ending@3d",
        "2026-02-20 00:00 subscription main: grace -> on_hold, unless an event comes before",
        "2026-02-20 00:00 next look of the clock at this user",
    ):
        assert words in page
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_as_json_everything_is_told(run, kept):
    told = json.loads(run("show", "u", "--store", str(kept), "--json").stdout)
    assert (told["now"], told["status"], told["entitled"]) == ("2026-02-14T00:00:00Z", "grace", True)
    assert [each["event_id"] for each in told["events"]] == ["trial", "payment", "failed"]
    assert [(each["campaign_id"], each["state"]) for each in told["triggers"]] == [
        ("trial_ending", "revoked"),
        ("payment_recovery", "impression"),
    ]
    assert [each["kind"] for each in told["signals"]] == ["inactivity"]
    assert [each["outcome"] for each in told["decisions"]] == ["issued"]
    assert told["profile"]["country"] == "SE"
    assert told["next_due_at"] == "2026-02-20T00:00:00Z"
    assert all(set(each) == {"committed_at", "topic", "message_id"} for each in told["pending"])


def test_the_store_may_be_named_itself_and_the_time_be_another(run, kept):
    words = ("show", "u", "--store", str(kept / STORE), "--json")
    assert json.loads(run(*words).stdout)["now"] == "2026-02-14T00:00:00Z"
    later = json.loads(run(*words, "--now", at(60)).stdout)
    assert (later["now"], later["status"]) == ("2026-03-02T00:00:00Z", "on_hold")


def test_an_unknown_user_is_a_failure_that_says_where_was_looked(run, kept):
    done = run("show", "nobody", "--store", str(kept))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"error: no user 'nobody' in {kept} or in {kept / RAW}\n"


@pytest.fixture(scope="module")
def erased(tmp_path_factory):
    """A replay in which one user was erased, and another came back after it."""
    lives = [line for user in ("gone", "back") for line in (trial(user), payment(user, 13), erasure(user))]
    new = payment("back", 30, event_id="new")
    return replays.run(tmp_path_factory.mktemp("erased"), *lives, new, keep_store=True).folder


@pytest.mark.parametrize("words", [("show",), ("explain",), ("show", "--json"), ("show", "--now", at(1))])
def test_of_an_erased_user_nothing_is_told_although_the_raw_log_holds_it_still(run, erased, words):
    done = run(words[0], "gone", "--store", str(erased), *words[1:])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "error: user 'gone' was erased at 2026-01-21T00:00:00Z: nothing up to then is known\n"


def test_of_a_user_who_came_back_the_new_life_alone_is_told(run, erased):
    told = json.loads(run("show", "back", "--store", str(erased), "--json").stdout)
    assert (told["status"], told["trial_used"]) == ("active", False)
    assert min(entry["at"] for entry in told["life"]["entries"]) == "2026-01-31T00:00:00Z"
    assert told["life"]["missing"] == []
    done = run("show", "back", "--store", str(erased), "--now", at(19))
    assert (done.exit_code, "was erased at" in done.stderr) == (1, True)


@pytest.mark.parametrize("user", ["", "a/b", "é", "x" * 257, "a b"])
def test_what_can_be_no_user_is_a_usage_error(run, kept, user):
    done = run("show", user, "--store", str(kept))
    assert done.exit_code == 2
    assert "expected a user's id (1 to 256 printable" in done.stderr


def test_a_store_that_was_not_kept_is_a_usage_error(run, tmp_path):
    done = run("show", "u", "--store", str(tmp_path))
    assert done.exit_code == 2
    assert "expected the store of a replay (made with --keep-store)" in done.stderr


def test_a_file_that_is_no_store_is_a_failure(run, tmp_path):
    (tmp_path / STORE).write_bytes(b"x" * 2000)
    done = run("show", "u", "--store", str(tmp_path))
    assert done.exit_code == 1
    assert "expected the SQLite file of a store, found something else" in done.stderr


def test_a_user_is_looked_for_in_one_place(run, kept):
    assert run("show", "u", "--store", str(kept), "--project", "p").exit_code == 2


def test_without_emulators_it_is_said_how_to_start_them(run):
    done = run("show", "u")
    assert done.exit_code == 1
    assert "python -m infra up" in done.stderr
