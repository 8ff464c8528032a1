"""Tests of the real functions, each in its own functions-framework process, on the emulators."""

import json
import os
import re
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from infra.catalog.load import artifacts_of, load_catalog
from infra.emulator.runtime import EmulatorRuntime
from infra.remote.dead_letters import redrive
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog, read_document
from infra.topology import load
from shared.adapters.gcp.paths import SUBSCRIPTIONS, user_document_id
from shared.record.codec import unpack
from shared.record.user_record import UserRecord
from tests.support.listening import pull
from tests.support.topologies import with_each_function
from tests.support.watching import eventually

pytestmark = pytest.mark.emulator

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def fuse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chaos") / "fuse"


@pytest.fixture(scope="module")
def up(emulators, fuse):
    table = with_each_function(
        load(), min_backoff_seconds=1, max_backoff_seconds=2, ack_deadline_seconds=20, timeout_seconds=15
    )

    def publish(endpoints: Endpoints) -> None:
        publish_catalog(emulator_client(endpoints), load_catalog(), artifacts_of(load_catalog()))

    with EmulatorRuntime(
        f"test-{uuid4().hex[:12]}",
        topology=table,
        emulators=emulators,
        env={"UPBEAT_EXIT_BEFORE_PUBLISH": str(fuse)},
        tick_seconds=1.0,
        publish_catalog=publish,
    ) as running:
        yield running


def record(up: EmulatorRuntime, user: str) -> UserRecord | None:
    stored = read_document(emulator_client(up.endpoints), user)
    return unpack(stored.blob) if stored and stored.blob else None


def publish(up: EmulatorRuntime, topic: str, user: str, occurred_at: datetime, **said) -> dict:
    event = {"event_id": uuid4().hex, "user_id": user, "occurred_at": occurred_at.isoformat(), **said}
    up.bus.publish(topic, json.dumps(event).encode())
    return event


def paid(outcome: str, start: datetime, **said) -> dict:
    return {
        "outcome": outcome,
        "plan": "premium_monthly",
        "amount": 1099,
        "currency": "EUR",
        "period_start": start.isoformat(),
        "period_end": (start + 30 * DAY).isoformat(),
        **said,
    }


def push_of(**event) -> bytes:
    """The request body with which Pub/Sub pushes an event."""
    data = b64encode(json.dumps(event).encode()).decode()
    return json.dumps({"message": {"data": data, "messageId": uuid4().hex}, "subscription": "test"}).encode()


class Heard:
    """All messages about one user received so far from the outgoing topics."""

    def __init__(self, up: EmulatorRuntime, user: str) -> None:
        self.up, self.user = up, user

    def __getitem__(self, topic: str) -> list[dict]:
        SEEN.setdefault(topic, []).extend(message.json for message in pull(self.up.bus, topic))
        return [body for body in SEEN[topic] if body["user_id"] == self.user]


SEEN: dict[str, list[dict]] = {}


def test_an_offer_goes_out_and_is_withdrawn_when_it_is_no_longer_true(up: EmulatorRuntime) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    heard = Heard(up, user)
    publish(up, "payment", user, now - 31 * DAY, **paid("succeeded", now - 31 * DAY))
    assert eventually(lambda: [c["after"]["status"] for c in heard["subscription-change"]] == ["grace"])
    publish(up, "payment", user, now - timedelta(hours=2), **paid("failed", now - DAY))
    assert eventually(lambda: [t["campaign_id"] for t in heard["upsell-trigger"]] == ["payment_recovery"])
    publish(up, "payment", user, now - timedelta(hours=1), **paid("succeeded", now - DAY))
    assert eventually(lambda: [t["kind"] for t in heard["upsell-trigger"]][:2] == ["issued", "revoked"])
    issued, revoked = heard["upsell-trigger"][:2]
    assert issued["trigger_id"] == revoked["trigger_id"]
    assert issued["sequence"] < revoked["sequence"]
    assert eventually(lambda: heard["subscription-change"][-1]["after"]["status"] == "active")
    assert eventually(lambda: heard["decision"])
    assert heard["decision"][0]["candidates"]


def test_a_crash_between_commit_and_publish_loses_no_trigger_and_doubles_none(
    up: EmulatorRuntime, fuse: Path
) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    heard = Heard(up, user)
    publish(up, "payment", user, now - timedelta(hours=3), **paid("succeeded", now - DAY))
    assert eventually(lambda: heard["subscription-change"])
    fuse.touch()
    publish(up, "churn-signal", user, now - timedelta(hours=1), signal="auto_renew_off", reason="price")
    assert eventually(lambda: not fuse.exists())
    committed = record(up, user)
    assert committed
    assert committed.triggers
    up.wait_until_ready("churn_signal")
    assert eventually(lambda: heard["upsell-trigger"])
    time.sleep(1.0)  # in which a second trigger would arrive
    triggers = {(t["kind"], t["trigger_id"]) for t in heard["upsell-trigger"]}
    assert triggers == {("issued", trigger.trigger_id) for trigger in committed.triggers}
    after = record(up, user)
    assert after
    assert after.triggers == committed.triggers


def test_32_events_for_one_user_at_once_are_all_applied(up: EmulatorRuntime) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    for n in range(32):
        publish(up, "payment", user, now - timedelta(minutes=n), **paid("succeeded", now - n * 30 * DAY))
    assert eventually(lambda: len(ring(up, user)) == 32)


def test_32_deliveries_at_once_for_one_user_are_all_acknowledged(up: EmulatorRuntime) -> None:
    """Posts directly to the function, because the emulator has at most two pushes in flight."""
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    bodies = [
        push_of(
            event_id=f"p{n}",
            user_id=user,
            occurred_at=(now - timedelta(minutes=n)).isoformat(),
            **paid("succeeded", now - n * 30 * DAY),
        )
        for n in range(32)
    ]

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(lambda body: post(up, "payment", body), bodies))
    assert statuses == [204] * 32
    assert len(ring(up, user)) == 32


def test_40_bodies_of_1_mb_at_once_stay_within_the_memory_of_an_instance(up: EmulatorRuntime) -> None:
    """The instance of the topology takes 40 requests at once. A larger body adds nothing to it."""
    data = b64encode(bytes(740_000)).decode()
    body = json.dumps({"message": {"data": data, "messageId": uuid4().hex}}).encode()
    with ThreadPoolExecutor(40) as pool:
        assert list(pool.map(lambda _: post(up, "trial_start", body), range(40))) == [204] * 40
    before = peak_mib(up, "trial_start")
    assert before < up.topology.functions["trial_start"].memory_mib
    assert post(up, "trial_start", b" " * 20_000_000) == 204
    assert peak_mib(up, "trial_start") <= before


def peak_mib(up: EmulatorRuntime, function: str) -> float:
    """The most memory that the processes of a function have had at once, at most, in MiB."""
    group = up.pid(function)
    pages = (path for path in Path("/proc").glob("[0-9]*/status") if _group_of(path) == group)
    peaks = (re.search(r"VmHWM:\s+(\d+) kB", path.read_text()) for path in pages)
    return sum(int(peak[1]) for peak in peaks if peak) / 1024


def _group_of(status: Path) -> int | None:
    with suppress(ProcessLookupError):
        return os.getpgid(int(status.parent.name))
    return None


def post(up: EmulatorRuntime, function: str, body: bytes) -> int:
    """The status with which a function answers a request."""
    request = Request(f"{up.function_urls[function]}/", body)  # noqa: S310 - our own address
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        return answer.status


def ring(up: EmulatorRuntime, user: str) -> tuple:
    found = record(up, user)
    return found.history.ring if found else ()


def test_the_clock_finds_what_is_due_and_others_hear_of_it(up: EmulatorRuntime) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    heard = Heard(up, user)
    publish(up, "payment", user, now - timedelta(hours=1), **paid("succeeded", now - DAY))
    soon = (now + timedelta(seconds=4)).isoformat()
    publish(up, "churn-signal", user, now, signal="cancelled", effective_at=soon)
    assert eventually(lambda: "expired" in [c["after"]["status"] for c in heard["subscription-change"]])


def fields(up: EmulatorRuntime, user: str) -> dict:
    document = emulator_client(up.endpoints).collection(SUBSCRIPTIONS).document(user_document_id(user))
    return document.get().to_dict() or {}


def is_tombstone(up: EmulatorRuntime, user: str) -> bool:
    return fields(up, user).keys() == {"erased_at"}


@pytest.mark.parametrize("name", ["user-{}", "__{}__"])
def test_an_erased_user_is_a_tombstone_until_something_new_occurs(up: EmulatorRuntime, name: str) -> None:
    user, now = name.format(uuid4().hex), datetime.now(UTC)
    heard = Heard(up, user)
    publish(up, "payment", user, now - DAY, **paid("succeeded", now - DAY))
    assert eventually(lambda: heard["subscription-change"])
    former = heard["subscription-change"][-1]["sequence"]
    publish(up, "user-erasure", user, now - timedelta(hours=1))
    assert eventually(lambda: is_tombstone(up, user))
    publish(up, "payment", user, now - timedelta(hours=2), **paid("failed", now - DAY))
    publish(up, "user-erasure", user, now - timedelta(hours=1))
    back = publish(up, "trial-start", user, now, plan="basic", trial_ends_at=(now + DAY).isoformat())
    assert eventually(lambda: len(ring(up, user)) == 1)
    assert [row[3] for row in ring(up, user)] == [back["event_id"]]
    assert fields(up, user).keys() == fields(up, someone(up)).keys()
    assert eventually(lambda: heard["subscription-change"][-1]["facts"].get("plan") == "basic")
    assert heard["subscription-change"][-1]["sequence"] > former


def someone(up: EmulatorRuntime) -> str:
    """A user who was never erased."""
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    publish(up, "payment", user, now, **paid("succeeded", now))
    assert eventually(lambda: ring(up, user))
    return user


def test_a_crash_before_an_erasure_publishes_nothing_after_it(up: EmulatorRuntime, fuse: Path) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    heard = Heard(up, user)
    fuse.touch()
    publish(up, "payment", user, now - timedelta(hours=3), **paid("succeeded", now - DAY))
    assert eventually(lambda: not fuse.exists())
    publish(up, "user-erasure", user, now)
    assert eventually(lambda: is_tombstone(up, user))
    up.wait_until_ready("payment")
    time.sleep(3.0)  # in which the payment is delivered again
    assert [heard[topic] for topic in ("subscription-change", "upsell-trigger", "decision")] == [[], [], []]
    assert is_tombstone(up, user)


def test_deliveries_at_once_leave_what_is_newer_than_the_erasure(up: EmulatorRuntime) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    erased_at = now - timedelta(minutes=10)
    payments = [
        push_of(
            event_id=f"p{n}",
            user_id=user,
            occurred_at=(now - timedelta(minutes=n)).isoformat(),
            **paid("succeeded", now - n * 30 * DAY),
        )
        for n in range(20)
    ]
    erasures = [push_of(event_id=f"e{n}", user_id=user, occurred_at=erased_at.isoformat()) for n in range(2)]
    crowd = [
        *(("payment", body) for body in payments[10:]),
        *(("user_erasure", body) for body in erasures),
        *(("payment", body) for body in payments),
    ]
    with ThreadPoolExecutor(len(crowd)) as pool:
        assert [*pool.map(lambda one: post(up, *one), crowd)] == [204] * len(crowd)
    assert sorted(row[3] for row in ring(up, user)) == sorted(f"p{n}" for n in range(10))


@pytest.mark.parametrize("user", [".", "..", "__all__"])
def test_users_whose_id_firestore_refuses_are_users_like_any_other(up: EmulatorRuntime, user: str) -> None:
    now = datetime.now(UTC)
    publish(up, "payment", user, now, **paid("succeeded", now))
    assert eventually(lambda: len(ring(up, user)) == 1)


def test_what_cannot_be_read_is_kept_and_can_be_sent_again(up: EmulatorRuntime) -> None:
    up.bus.publish("payment", b"\xff not json")
    letters = []

    def kept() -> bool:
        letters.extend(redrive(up.bus, up.topology, reason="not_json", dry=True).letters)
        return bool(letters)

    assert eventually(kept)
    assert letters[0].data == b"\xff not json"
    assert letters[0].topic == "payment"
