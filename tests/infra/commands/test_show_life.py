"""`show` and `explain` tell a whole life: from the raw log, also of a user whose document is gone."""

import json
import shutil
import sqlite3
from datetime import timedelta

import pytest

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.raw.folder import RAW, file_of
from infra.replay.stores import STORE
from shared.contracts.topics import Topic
from shared.decisioning.arbitration import trigger_id
from shared.domain.events import cause_of
from tests.infra.commands.pages import NARROW
from tests.support import replays
from tests.support.replays import START, at, event, payment, trial

SHOWN = trigger_id("u", cause_of("payment", "", "failed"), "payment_recovery")
EVIL = "x\x1b[2J [bold]m[/bold] [/nothing]"
LIVED = [
    trial(),
    payment(days=13),
    payment(days=13) | {"publish_time": at(13.5)},
    event("payment", "u", 20, "bad", outcome="succeeded", plan="premium"),
    payment(days=43, outcome="failed", event_id="failed"),
    event("trigger-feedback", "u", 43.5, "seen", trigger_id=SHOWN, kind="clicked"),
    payment(days=45, event_id="recovered"),
    event("churn-signal", "u", 46, "off", signal="auto_renew_off", reason=EVIL),
    *(payment(days=75 + 30 * month, event_id=f"p-{month}") for month in range(6)),
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    return replays.run(folder, *LIVED, keep_store=True, now=START + timedelta(days=230)).folder


@pytest.fixture
def gone(kept, tmp_path):
    """The same, but without the user's document."""
    shutil.copytree(kept, tmp_path / "gone")
    with sqlite3.connect(tmp_path / "gone" / STORE) as connection:
        connection.execute("delete from subscriptions")
    return tmp_path / "gone"


def words(text):
    return " ".join("".join(char if char.isascii() else " " for char in text).split())


def test_the_page_tells_every_event_with_what_became_of_it(run, kept):
    done = run("show", "u", "--store", str(kept), env=NARROW)
    assert done.exit_code == 0, done.output
    page = words(done.stdout)
    for text in (
        "event trial started: premium, until 2026-01-15 00:00",
        "event payment succeeded: premium, 2026-01-14 to 2026-02-13 (published again: nothing changed)",
        "refused payment bad: invalid: amount: expected a value, found none;",
        "no offer student_plan (trial.started): not in its audience (student)",
        "moment trial.ending@3d",
        "revoked payment_recovery: update_payment_method in email (payment.failed): no longer true",
        f"feedback payment_recovery: clicked (trigger {SHOWN[:8]})",
        "reason x[2J [bold]m[/bold] [/nothing]",
        "payment_recovery revoked: no longer true until 2026-02-16 00:00 clicked",
    ):
        assert text in page, text
    assert "\x1b" not in done.stdout
    assert "Incomplete" not in page
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_as_json_the_life_is_exact(run, kept):
    told = json.loads(run("show", "u", "--store", str(kept), "--json").stdout)
    life = told["life"]
    assert (life["has_document"], life["has_log"], life["missing"]) == (True, True, [])
    published = [json.loads(line) for line in (kept / "decisions.jsonl").read_text().splitlines()]
    assert [one["body"] for one in life["entries"] if one["kind"] == "decision"] == published
    (rejected,) = [one for one in life["entries"] if one["kind"] == "rejected"]
    assert rejected["body"]["event"]["event_id"] == "bad"
    assert set(rejected) == {"at", "kind", "topic", "body", "published_at", "note"}


def test_a_user_whose_document_is_gone_is_told_from_the_raw_log_and_it_is_said(run, kept, gone):
    done = run("show", "u", "--store", str(gone), env=NARROW)
    assert done.exit_code == 0, done.output
    page = words(done.stdout)
    assert "There is no document of this user. The raw log alone tells this." in page
    assert "Something may be missing of: assignments." in page
    assert "unknown what is due next" in page
    told, whole = (
        json.loads(run("show", "u", "--store", str(folder), "--json").stdout) for folder in (gone, kept)
    )
    assert not told["life"]["has_document"]
    assert told["life"]["entries"] == whole["life"]["entries"]
    for name in ("status", "period_end", "grants", "profile"):
        assert told[name] == whole[name], name


def test_nobody_is_nobody_in_the_log_either(run, gone):
    for command in ("show", "explain"):
        done = run(command, "nobody", "--store", str(gone))
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == f"error: no user 'nobody' in {gone} or in {gone / RAW}\n"
    done = run("show", "u", "--store", str(gone), "--raw", "none")
    assert done.stderr == f"error: no user 'u' in {gone}\n"


def test_without_the_log_the_page_says_what_is_not_told(run, kept):
    page = words(run("show", "u", "--store", str(kept), "--raw", "none").stdout)
    assert "Incomplete: decisions and changes of more than 14 days ago and rejected events are not told" in page
    assert "Moments that time brought" in page
    assert "refused" not in page


def test_a_past_without_a_document_is_told_up_to_then(run, gone):
    told = json.loads(run("show", "u", "--store", str(gone), "--now", at(14), "--json").stdout)
    assert told["status"] == "active"
    assert max(entry["at"] for entry in told["life"]["entries"]) <= at(14).replace("+00:00", "Z")


def test_explain_finds_decisions_that_the_document_no_longer_holds(run, kept):
    asked = ("explain", "u", "--store", str(kept), "--moment", "trial.ending@3d")
    told = words(run(*asked).stdout)
    assert "Decided at 2026-01-12 00:00 UTC" in told
    assert "trial.ending@3d in push trial_ending (keep_listening): issued" in told
    done = run(*asked, "--raw", "none")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no decision about trial.ending@3d is on record for 'u'" in done.stderr


def test_explain_tells_the_clause_that_was_not_true_and_the_value_that_it_asked_for(run, kept, tmp_path):
    asked = ("explain", "u", "--store", str(kept), "--moment", "payment.failed")
    told = words(run(*asked).stdout)
    clause = "clause active: subscription.status == 'active' subscription.status was grace"
    assert f"lost (audience) stopped: not in its audience (active) {clause}" in told
    assert "ranked by its score: 0.664 (version 1)" in told
    (tmp_path / RAW).mkdir()
    for name in ("decision", "payment", "trial-start"):
        shutil.copy(file_of(kept / RAW, name), tmp_path / RAW)
    version = load_catalog().version
    without = words(run(*asked, "--raw", str(tmp_path / RAW)).stdout)
    assert f"the text of the clause is not known: no catalog {version} is at hand (--catalog FILE)" in without
    given = words(run(*asked, "--raw", str(tmp_path / RAW), "--catalog", str(DEFAULT_CATALOG)).stdout)
    assert clause in given


def test_the_scores_of_the_catalog_in_force_are_shown_and_with_what_they_were_raised(run, kept):
    page = words(run("show", "u", "--store", str(kept)).stdout)
    json_page = json.loads(run("show", "u", "--store", str(kept), "--json").stdout)
    (score,) = json_page["scores"]
    assert (score["name"], score["raises"], score["at_least"]) == ("churn_risk", "churn_risk.raised", 0.5)
    assert score["raised_with"] >= 0.5
    assert len(str(score["value"])) > 6
    assert f"churn_risk {score['value']:.3f}".rstrip("0") in page
    assert f"last raised at 2026-02-16 00:00 with {score['raised_with']:.3f}".rstrip("0") in page


def test_the_scores_of_another_catalog_may_be_asked_for(run, kept, tmp_path):
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text("scores: {churn_risk: {version: 1}}\n")
    done = run("show", "u", "--store", str(kept), "--catalog", str(catalog), "--json")
    (score,) = json.loads(done.stdout)["scores"]
    assert (score["name"], score["raises"], score["raised_at"]) == ("churn_risk", None, None)


def test_torn_lines_and_garbage_change_nothing_and_are_told(run, kept, tmp_path):
    shutil.copytree(kept, tmp_path / "torn")
    for file in (tmp_path / "torn" / RAW).iterdir():
        file.write_bytes(b'\xff\xfe"u"\n{"data": 5}\n' + file.read_bytes() + b'{"message_id": "1", "data": "eyJ')
    done = run("show", "u", "--store", str(tmp_path / "torn"), "--json")
    assert json.loads(done.stdout) == json.loads(run("show", "u", "--store", str(kept), "--json").stdout)
    assert done.stderr.count("skipped") == 3 * len(Topic)
    assert "not finished" in done.stderr


def test_a_raw_log_that_is_none_is_a_usage_error(run, kept, tmp_path):
    for where, expected in (
        (str(tmp_path), "expected the folder of a raw log"),
        (str(tmp_path / "missing.duckdb"), "expected a warehouse, found none that can be read"),
    ):
        done = run("show", "u", "--store", str(kept), "--raw", where)
        assert (done.exit_code, done.stdout) == (2, "")
        assert expected in done.stderr
    done = run("show", "\x1b[2J[bold]", "--store", str(kept))
    assert done.exit_code == 2
    assert "\x1b" not in done.stderr
