"""A feature in Bigtable changes a decision; without Bigtable, decisions go on and say so."""

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from infra.emulator.bigtable import BigtableEmulator
from infra.emulator.runtime import EmulatorRuntime
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog, read_document
from shared.record.codec import unpack
from tests.support.bigtable import EmulatedTable
from tests.support.builders import campaign, catalog
from tests.support.listening import pull
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("_bigtable_program")]

MILLISECONDS = 1000
"""The time for a read, in which a busy machine answers, too."""
NO_ANSWER = "Bigtable: no answer within 1 s"
ASKING = catalog(
    features={"expected_value": {"type": "number", "max_age_hours": 48}},
    audiences={"rich": {"all": [{"much": "features.expected_value > 100"}]}},
    campaigns={"upgrade": campaign(audience="rich", moments=["activated"])},
)


class Running(NamedTuple):
    up: EmulatorRuntime
    bigtable: BigtableEmulator
    table: EmulatedTable
    log: list[dict[str, Any]]
    """The log lines of the function so far."""

    def decide(self, user: str) -> dict[str, Any]:
        """The decision about a user who pays for the first time."""
        now, seen = datetime.now(UTC), list[dict[str, Any]]()
        period = {"period_start": now.isoformat(), "period_end": (now + timedelta(days=30)).isoformat()}
        event = {"event_id": uuid4().hex, "user_id": user, "occurred_at": now.isoformat(), "outcome": "succeeded"}
        paid = {**event, **period, "plan": "premium_monthly", "amount": 1099, "currency": "EUR"}
        self.up.bus.publish("payment", json.dumps(paid).encode())
        assert eventually(lambda: self._heard(seen, user))
        return seen[0]

    def _heard(self, seen: list[dict[str, Any]], user: str) -> bool:
        seen += [one.json for one in pull(self.up.bus, "decision") if one.json["user_id"] == user]
        return bool(seen)


@pytest.fixture
def running(emulators, project, hurried, monkeypatch) -> Iterator[Running]:
    """The function for payments, a catalog that asks for a feature, and a Bigtable of its own, which may die."""

    def publish(endpoints: Endpoints) -> None:
        publish_catalog(emulator_client(endpoints), ASKING)

    log: list[dict[str, Any]] = []
    topology = hurried.model_copy(
        update={"services": {}, "functions": {"payment": hurried.functions["payment"]}, "schedules": {}}
    )
    with BigtableEmulator() as bigtable:
        table = EmulatedTable(bigtable, project, monkeypatch)
        env = {
            "BIGTABLE_EMULATOR_HOST": bigtable.host,
            "UPBEAT_FEATURES_TABLE": table.name,
            "UPBEAT_FEATURES_MILLISECONDS": str(MILLISECONDS),
        }
        with EmulatorRuntime(
            project,
            topology=topology,
            emulators=emulators,
            env=env,
            publish_catalog=publish,
            sink=lambda name, line: (
                log.append(json.loads(line)) if name == "payment" and line[:1] == "{" else None
            ),
        ) as up:
            yield Running(up, bigtable, table, log)


def test_a_feature_changes_a_decision_and_without_bigtable_it_goes_on_and_says_so(running: Running) -> None:
    now = datetime.now(UTC)
    for user, value in (("rich", b"250"), ("poor", b"5"), ("later", b"250"), ("last", b"250")):
        running.table.put(user, "expected_value", value, now)
    running.table.put("stale", "expected_value", b"250", now - timedelta(hours=48))

    rich = running.decide("rich")
    assert (rich["outcome"], rich["context"]) == ("issued", {"features.expected_value": 250.0})
    assert "features_missing" not in rich
    poor = running.decide("poor")
    assert (poor["outcome"], poor["candidates"][0]["detail"]) == ("withheld", "much")
    stale = running.decide("stale")
    assert stale["outcome"] == "withheld"
    assert stale["features_missing"][0].startswith("features.expected_value stale since ")
    assert running.decide("unknown")["features_missing"] == ["features.expected_value has no value"]
    assert not any("features_failure" in line for line in running.log)

    os.killpg(running.bigtable.process.pid, signal.SIGSTOP)
    time.sleep(0.5)  # each thread stops when it is next scheduled
    frozen = running.decide("later")
    assert frozen["outcome"] == "withheld"
    assert frozen["context"] == {"features.expected_value": None}
    assert frozen["features_missing"] == [f"features unavailable: {NO_ANSWER}"]

    running.bigtable.process.kill()
    dead = running.decide("last")
    assert dead["outcome"] == "withheld"
    (missing,) = dead["features_missing"]
    assert missing in {"features unavailable: Bigtable: UNAVAILABLE", f"features unavailable: {NO_ANSWER}"}
    failures = [line["features_failure"] for line in running.log if "features_failure" in line]
    assert failures[0] == NO_ANSWER
    assert {line["outcome"] for line in running.log if "outcome" in line} == {"applied"}

    stored = read_document(emulator_client(running.up.endpoints), "rich")
    assert stored
    (given,) = unpack(stored.blob).triggers
    assert not given.revoked
