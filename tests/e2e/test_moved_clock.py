"""The functions on the emulators follow a clock that is moved: a month takes seconds."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def run(*words, code=0):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    return done.output


def shown(user):
    return json.loads(run("show", user, "--json"))


@pytest.mark.usefixtures("up")
class TestStories:
    def test_from_a_trial_to_an_offer_to_come_back(self):
        told = run("trigger", "story:trial-to-win-back", "--user", "ada")
        assert [line[18:] for line in told.splitlines()[1:]] == [
            "trial.started",
            "payment.succeeded",
            "payment.failed",
            "payment.succeeded",
            "signal.auto_renew_off",
            "nothing happens",
        ]
        view = shown("ada")
        assert view["status"] == "expired"
        issued = {trigger["campaign_id"] for trigger in view["triggers"]}
        assert {"trial_ending", "payment_recovery", "save_offer", "win_back"} <= issued

    def test_what_happens_on_the_way_happens_at_its_time(self):
        run(
            "trigger",
            "payment.succeeded",
            "--user",
            "eve",
            "--set",
            "period_end=+10d",
            "--set",
            "auto_renew=false",
        )
        assert eventually(lambda: has_status("eve", "active"))
        done = json.loads(run("clock", "+40d", "--json"))
        assert done["stops"] >= 2
        view = shown("eve")
        assert view["status"] == "expired"
        offered = [trigger for trigger in view["triggers"] if trigger["campaign_id"] == "win_back"]
        assert offered, "a jump of 40 days at once would have made the moment too old"


@pytest.mark.usefixtures("up")
def test_the_clock_never_goes_back_and_names_what_it_expects():
    assert "expected a time after the clock's" in run("clock", "2026-01-01T00:00:00Z", code=1)
    assert "expected show, a distance such as +30d or +36h" in run("clock", "tomorrow", code=2)


@pytest.mark.usefixtures("up")
def test_feedback_is_about_the_newest_offer():
    run("trigger", "payment.succeeded", "--user", "kim")
    assert eventually(lambda: has_status("kim", "active"))
    assert "expected an offer of user 'kim', found none" in run(
        "trigger", "feedback.clicked", "--user", "kim", code=1
    )
    run("trigger", "payment.failed", "--user", "kim")
    assert eventually(lambda: shown("kim")["triggers"])
    told = json.loads(run("trigger", "feedback.clicked", "--user", "kim", "--json"))
    assert told["data"]["trigger_id"] == shown("kim")["triggers"][0]["trigger_id"]
    refund = json.loads(run("trigger", "signal.auto_renew_off", "--user", "kim", "--print", "--json"))
    assert refund["data"]["signal"] == "auto_renew_off"


@pytest.mark.usefixtures("up")
def test_a_field_that_makes_no_sense_is_refused_before_it_is_published():
    output = run("trigger", "payment.failed", "--set", "amount=4.5", code=2)
    assert "payment: amount: expected" in output
    assert "--set: expected FIELD=VALUE, found 'amount'" in run(
        "trigger", "payment.failed", "--set", "amount", code=2
    )


def has_status(user, status):
    done = CliRunner().invoke(app, ["show", user, "--json"])
    if done.exit_code != 0:
        return False
    told = json.loads(done.output)
    return told["life"]["has_document"] and told["status"] == status  # the raw log may know an event first
