"""A user of the running emulators is exported and erased: only the tombstone's name still holds the id."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.errors import InfraError
from infra.privacy.running import RunningUpbeat
from infra.raw.folder import BEFORE, RAW, RawLogWriter, file_of
from infra.raw.line import Landed
from infra.remote.firestore import emulator_client
from infra.remote.pubsub import LISTEN_SUFFIX
from infra.remote.running import state_folder
from infra.topology import load
from shared.adapters.gcp.mail import ADDRESSES, MAILS, READERS
from shared.adapters.gcp.paths import CURSORS, SWEEPS
from shared.domain.terms import Terms
from tests.support.traces import files_with, holds, traces
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
ADA, EVE = "ada-b9f4", "eve-3c71"
DAY = timedelta(days=1)


def run(*words, code=0):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    return done.stdout


def shown(user):
    done = CliRunner().invoke(app, ["show", user, "--json"])
    return json.loads(done.stdout) if done.exit_code == 0 else {}


def status(user):
    return shown(user).get("status")


def paid(up, user, occurred_at, event_id, **more):
    event = json.loads(run("trigger", "payment.succeeded", "--user", user, "--print", "--json"))["data"]
    event |= {"occurred_at": occurred_at.isoformat(), "event_id": event_id} | more
    return up.bus.publish("payment", json.dumps(event).encode())


def landed(topic, message_id):
    file = file_of(state_folder() / RAW, topic)
    return file.exists() and f'"{message_id}"' in file.read_text()


def documents_with(up, user):
    """The paths of the documents that hold the id, in their names or in what they say."""
    client = emulator_client(up.endpoints)
    found = (each for collection in client.collections() for each in collection.stream())
    return {
        each.reference.path: set(each.to_dict())
        for each in found
        if user in each.id or any(holds(value, user) for value in each.to_dict().values())
    }


def waiting_with(up, user):
    """The messages that hold the id and wait in the subscriptions that are pulled."""
    names = [*(topic + LISTEN_SUFFIX for topic in load().topics_out), load().dead_letter.subscription]
    found = []
    for name in names:
        received = up.bus.pull(name, 1000, 1.2)
        up.bus.release(name, received)
        found += [(name, each) for each in received if traces(each.data, user) or user in str(each.attributes)]
    return found


def live(up, user):
    """A payment, a failure with its offer, and a letter; and what others keep of the user."""
    run("trigger", "payment.succeeded", "--user", user)
    assert eventually(lambda: status(user) == "active")
    run("trigger", "payment.failed", "--user", user)
    assert eventually(lambda: shown(user)["triggers"])
    paid(up, user, START, f"broken-{user}", amount="many")
    assert eventually(lambda: f"broken-{user}" in run("dead-letters", "list", "--json"))


def put_beside(up, user):
    """Data about a user for e-mail, in positions, and in the log of an earlier run."""
    client = emulator_client(up.endpoints)
    client.document(f"{MAILS}/trigger-1").set({"user_id": user, "state": "sent", "forget_at": START})
    client.document(f"{MAILS}/trigger-2").set({"user_id": EVE, "state": "sent", "forget_at": START})
    client.document(f"{READERS}/{user}").set({"newest": [], "opted_out_at": None})
    client.document(f"{ADDRESSES}/{user}").set({"email": f"{user}@example.com", "locale": "de"})
    client.document(f"{CURSORS}/63").set({"user_id": user, "next_due_at": START})
    client.document(f"{SWEEPS}/sweep").set({"after": user, "published": 3})
    event = json.dumps({"user_id": user, "occurred_at": START.isoformat()}).encode()
    with RawLogWriter(state_folder() / BEFORE, ["payment"]) as log:
        log.append("payment", [Landed("s", "1", START, {}, event)])


def test_a_user_is_exported_erased_and_comes_back(up):
    for user in (EVE, ADA):
        live(up, user)
    put_beside(up, ADA)
    exported = json.loads(run("export", ADA))
    assert [each["topic"] for each in exported["dead_letters_waiting"]] == ["payment"]
    assert set(exported["email"]) == {f"{MAILS}/trigger-1", f"{READERS}/{ADA}", f"{ADDRESSES}/{ADA}"}
    assert exported["events"]
    assert exported["triggers"]
    counted = json.loads(run("erase", ADA, "--dry-run", "--json"))["removed"]
    assert counted["dead letters"] == 1
    assert status(ADA) == "active"

    told = json.loads(run("erase", ADA, "--yes", "--json"))
    assert {name for name, count in told["removed"].items() if count} == {
        "dead letters",
        "documents for e-mail",
        "positions",
        "messages for listen",
        "lines of the raw log",
    }
    assert documents_with(up, ADA) == {f"subscriptions/{ADA}": {"erased_at"}}
    assert files_with(state_folder(), ADA) == set()
    assert waiting_with(up, ADA) == []
    assert status(EVE) == "active"
    assert [each for _, each in waiting_with(up, EVE)]
    assert f"broken-{EVE}" in run("dead-letters", "list", "--json")
    assert set(documents_with(up, EVE)) == {f"subscriptions/{EVE}", f"{MAILS}/trigger-2"}

    erased_at = datetime.fromisoformat(told["erased_at"])
    late = paid(up, ADA, erased_at - DAY, "late")
    assert eventually(lambda: landed("payment", late))
    fresh = paid(up, "bob", erased_at - DAY, "bob")  # processed after it, most likely
    assert eventually(lambda: landed("payment", fresh) and status("bob"))
    assert documents_with(up, ADA) == {f"subscriptions/{ADA}": {"erased_at"}}
    assert json.loads(run("erase", ADA, "--again", "--yes", "--json"))["removed"]["lines of the raw log"] == 1
    assert files_with(state_folder(), ADA) == set()

    run("clock", "+1h")
    run("trigger", "payment.succeeded", "--user", ADA)
    assert eventually(lambda: status(ADA) == "active")
    assert len(shown(ADA)["events"]) == 1
    emulator_client(up.endpoints).document(f"{READERS}/{ADA}").set({"newest": [], "opted_out_at": None})
    before = files_with(state_folder() / RAW, ADA)
    assert not json.loads(run("erase", ADA, "--again", "--yes", "--json"))["removed"]["lines of the raw log"]
    assert files_with(state_folder() / RAW, ADA) == before >= {"payment.jsonl", "subscription-change.jsonl"}
    assert f"{READERS}/{ADA}" in documents_with(up, ADA)
    assert "found a user who lives" in CliRunner().invoke(app, ["erase", ADA, "--remove-tombstone"]).output


@pytest.fixture
def target(firestore, bus):
    """The emulators without any function."""
    return RunningUpbeat(firestore, bus, load(), Terms(), None, 0.5)


def test_a_tombstone_goes_and_a_user_who_lives_stays(target, firestore):
    for user, fields in (("gone", {"erased_at": START}), ("alive", {"user_id": "alive", "blob": b"x"})):
        document = firestore.document(f"subscriptions/{user}")
        document.set(fields)
        target.remove_tombstone(user)
        assert document.get().exists == (user == "alive")
    target.remove_tombstone("nobody")


def test_a_function_that_does_not_answer_is_told(target):
    with pytest.raises(InfraError, match="found no tombstone; the event is published and will be processed"):
        target.erase("ada", START)
