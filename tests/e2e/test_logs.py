"""The log lines and the traces of real functions, started as Cloud Functions starts them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from infra.catalog.load import artifacts_of, load_catalog
from infra.emulator.emulators import Emulators
from infra.emulator.runtime import EmulatorRuntime
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from infra.topology import load
from shared.observability.event_log import hash_user
from tests.support.listening import pull
from tests.support.topologies import with_each_function
from tests.support.watching import eventually

pytestmark = pytest.mark.emulator

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
DAY = timedelta(days=1)


class Running:
    """A running Upbeat, with the lines that its functions printed."""

    def __init__(self, emulators: Emulators, **env: str) -> None:
        self.printed: list[tuple[str, str]] = []
        self.runtime = EmulatorRuntime(
            f"test-{uuid4().hex[:12]}",
            topology=with_each_function(load(), min_backoff_seconds=1, max_backoff_seconds=2),
            emulators=emulators,
            env={"UPBEAT_USER_HASH_KEY": "key", **env},
            publish_catalog=_publish_default_catalog,
            sink=lambda source, line: self.printed.append((source, line)),
        )

    def lines(self, function: str) -> list[dict[str, object]]:
        """The JSON lines of one function that tell the outcome of a delivery."""
        found = [json.loads(line) for source, line in self.printed if source == function and line.startswith("{")]
        return [line for line in found if "outcome" in line]


def _publish_default_catalog(endpoints: Endpoints) -> None:
    publish_catalog(emulator_client(endpoints), load_catalog(), artifacts_of(load_catalog()))


ENVIRONMENTS = {
    "as Terraform sets it": {},
    "with execution ids": {"LOG_EXECUTION_ID": "true"},
    "as Cloud Functions sets it by default": {"LOG_EXECUTION_ID": "true", "FUNCTION_USE_ASGI": "false"},
}


@pytest.fixture(scope="module", params=ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def running(request: pytest.FixtureRequest, emulators: Emulators) -> Iterator[Running]:
    """Upbeat in one of the environments, in which functions-framework treats loggers differently."""
    running = Running(emulators, **request.param)
    with running.runtime:
        yield running


def publish(running: Running, topic: str, event: dict[str, object], **attributes: str) -> None:
    running.runtime.bus.publish(topic, json.dumps(event).encode(), attributes)


def lines_about(user: str, running: Running) -> list[dict[str, object]]:
    return [line for line in running.lines("payment") if line.get("user_hash") == hash_user(user, "key")]


def lines_with_triggers(user: str, running: Running) -> list[dict[str, object]]:
    return [line for line in lines_about(user, running) if line.get("trigger_ids")]


def test_a_bad_event_leaves_one_line_with_its_reason(running: Running) -> None:
    running.runtime.bus.publish("payment", b"no json", {"traceparent": TRACEPARENT})
    assert eventually(lambda: running.lines("payment"))
    (line,) = [line for line in running.lines("payment") if line["outcome"] == "dead_lettered"]
    assert (line["severity"], line["topic"], line["reason"]) == ("WARNING", "payment", "not_json")
    assert line["logging.googleapis.com/spanId"] == SPAN_ID


def test_the_trace_of_a_message_is_on_its_log_line_and_on_the_trigger_that_came_out(running: Running) -> None:
    user, now = f"user-{uuid4().hex}", datetime.now(UTC)
    event = {
        "event_id": uuid4().hex,
        "user_id": user,
        "occurred_at": (now - 31 * DAY).isoformat(),
        "outcome": "succeeded",
    }
    period = {"period_start": (now - 31 * DAY).isoformat(), "period_end": (now - DAY).isoformat()}
    money = {"plan": "premium_monthly", "amount": 1099, "currency": "EUR"}
    publish(running, "payment", event | period | money)
    assert eventually(lambda: lines_about(user, running))
    failed = event | money | {"event_id": "p2", "occurred_at": now.isoformat(), "outcome": "failed"}
    period = {"period_start": (now - DAY).isoformat(), "period_end": (now + 29 * DAY).isoformat()}
    publish(running, "payment", failed | period, googclient_traceparent=TRACEPARENT)
    received = []

    def issued() -> bool:
        received.extend(pull(running.runtime.bus, "upsell-trigger"))
        return any(message.json["user_id"] == user for message in received)

    assert eventually(issued)
    (trigger,) = [message for message in received if message.json["user_id"] == user]
    assert (trigger.attributes["googclient_traceparent"], trigger.attributes["traceparent"]) == (TRACEPARENT,) * 2
    assert eventually(lambda: lines_with_triggers(user, running)), (
        "a line is printed after its trigger is published"
    )
    (line,) = lines_with_triggers(user, running)
    assert line["logging.googleapis.com/trace"] == f"projects/{running.runtime.project}/traces/{TRACE_ID}"
    assert line["trigger_ids"] == [trigger.json["trigger_id"]]
    assert (line["status_before"], line["status_after"]) == ("grace", "grace")
    assert line["latency_ms"] > 0
