"""A broken event on the emulators: seen, mended, sent back and applied; another one dropped."""

import json

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.catalog.load import load_catalog
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running
from infra.remote.firestore import emulator_client, publish_catalog
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow]


@pytest.fixture(scope="module")
def up(emulators, tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    patch = pytest.MonkeyPatch()
    patch.setenv(running.FOLDER_VARIABLE, str(folder))
    publish = {"publish_catalog": lambda endpoints: publish_catalog(emulator_client(endpoints), load_catalog())}
    with EmulatorRuntime("letters", emulators=emulators, state_folder=folder, **publish) as runtime:
        yield runtime
    patch.undo()


def run(*words, code=0, **more):
    done = CliRunner().invoke(app, words, **more)
    assert done.exit_code == code, done.output
    return done.stdout


def broken(up, user, **fields):
    """Publish an event that a function must refuse, and wait for its letter."""
    event = json.loads(run("trigger", "payment.succeeded", "--user", user, "--print", "--json"))["data"] | fields
    up.bus.publish("payment", json.dumps(event).encode(), {"shop": "online"})
    assert eventually(lambda: [letter for letter in letters() if letter["payload"].get("user_id") == user])
    return next(letter for letter in letters() if letter["payload"]["user_id"] == user)


def letters():
    return [json.loads(line) for line in run("dead-letters", "list", "--json").splitlines()]


def status(user):
    done = CliRunner().invoke(app, ["show", user, "--json"])
    return json.loads(done.stdout)["status"] if done.exit_code == 0 else None


def test_a_mended_letter_is_applied_keeps_its_identity_and_stays_on_record(up):
    letter = broken(up, "ada", amount=4.99)
    shown = run("dead-letters", "show", letter["letter"][:10])
    [line] = [line for line in shown.splitlines() if line.startswith('  "amount": 4.99')]
    assert "<-- amount: expected" in line, "the reason stands beside its field"

    still = CliRunner().invoke(app, ["dead-letters", "edit", letter["letter"], "--set", "amount=-1"])
    assert still.exit_code == 2
    assert "nothing was sent" in still.output
    assert [each["letter"] for each in letters()] == [letter["letter"]], "nothing is lost"

    run("dead-letters", "edit", letter["letter"], "--set", "amount=499", "--why", "a decimal", "--by", "kim")
    assert eventually(lambda: status("ada") == "active")
    assert letters() == []
    [record] = [json.loads(line) for line in run("dead-letters", "history", "--json").splitlines()]
    assert (record["action"], record["by"], record["why"], record["changed"]) == (
        "mended",
        "kim",
        "a decimal",
        ["amount"],
    )
    again = json.loads(run("dead-letters", "history", "--json"))
    assert again["letter_id"] == letter["letter"]
    assert status("ada") == "active"


def test_a_dropped_letter_needs_a_reason_and_leaves_a_record(up):
    letter = broken(up, "eve", plan="")
    assert (
        "--why: expected a reason"
        in CliRunner().invoke(app, ["dead-letters", "drop", letter["letter"], "--why", " "]).output
    )
    run("dead-letters", "drop", letter["letter"], "--why", "a test of the shop")
    assert letters() == []
    newest = json.loads(run("dead-letters", "history", "--limit", "1", "--json"))
    assert (newest["action"], newest["why"], newest["published"]) == ("dropped", "a test of the shop", "")


def test_a_letter_that_redrive_sends_back_stays_on_record(up):
    letter = broken(up, "ann", plan="")
    told = run("redrive", "--reason", letter["reason"], "--go", "--why", "once more", "--by", "kim")
    assert "sent 1 to payment" in told
    newest = json.loads(run("dead-letters", "history", "--limit", "1", "--json"))
    assert (newest["letter_id"], newest["action"]) == (letter["letter"], "resent")
    assert (newest["by"], newest["why"], bool(newest["published"])) == ("kim", "once more", True)
    assert eventually(lambda: [each["letter"] for each in letters()] == [letter["letter"]])
    run("dead-letters", "drop", letter["letter"], "--why", "the end of the test")


def test_an_unknown_or_ambiguous_letter_is_told(up):
    first, second = broken(up, "kim", currency="EURO"), broken(up, "lee", currency="EURO")
    told = CliRunner().invoke(app, ["dead-letters", "show", "nothing"])
    assert (told.exit_code, "found none" in told.output) == (1, True)
    told = CliRunner().invoke(app, ["dead-letters", "resend", ""])
    assert (told.exit_code, "found 2 letters" in told.output) == (1, True)
    run("dead-letters", "resend", first["letter"], "--why", "once more")
    assert eventually(lambda: {each["letter"] for each in letters()} == {first["letter"], second["letter"]})
    for each in (first, second):
        run("dead-letters", "drop", each["letter"], "--why", "the end of the test")


def test_what_is_no_json_is_shown_and_mended_from_a_file(up, tmp_path):
    up.bus.publish("payment", b"\xff{ broken <b>markup</b>")
    assert eventually(letters)
    [letter] = letters()
    assert "\\xff{ broken <b>markup</b>" in run("dead-letters", "show", letter["letter"])
    assert (
        "--data FILE" in CliRunner().invoke(app, ["dead-letters", "edit", letter["letter"], "--set", "a=1"]).output
    )
    event = json.loads(run("trigger", "payment.succeeded", "--user", "max", "--print", "--json"))["data"]
    (tmp_path / "event.json").write_text(json.dumps(event))
    run("dead-letters", "edit", letter["letter"], "--data", str(tmp_path / "event.json"))
    assert eventually(lambda: status("max") == "active")
