"""The real functions, called as Pub/Sub calls them: each kind of failure has its outcome, and leaks no data."""

import asyncio
import json
import logging
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from functions_framework.aio import create_asgi_app

from infra.embedded.runtime import VirtualClock
from infra.topology import load
from shared import wiring
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.decisioning.catalog import empty_catalog
from shared.domain.due_shards import due_shard
from shared.domain.errors import Transient
from shared.domain.terms import Terms
from shared.entrypoints.body import KEPT_BYTES
from shared.entrypoints.pubsub import OUTCOME_HEADER
from shared.observability.event_log import FIELDS, ColdStart, hash_user
from shared.observability.logs import CloudFormatter
from shared.ports import Document, Stored
from shared.settings import InvalidSettings
from shared.wiring import Wiring
from tests.support.asgi import FUNCTIONS, call
from tests.support.catalogs import EVERYTHING
from tests.support.publishers import Collected
from tests.support.samples import COMMON, PAYMENT, VALID, push

NOW = datetime(2026, 3, 15, 9, 31, tzinfo=UTC)
USER = COMMON["user_id"]
ATTRIBUTES = {"origin": "till-7", "k": "värde"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NAMES = sorted(load().functions)


class World:
    """The store, bus and clock behind the functions, with failures on demand."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.store = SqliteStore(":memory:")
        self.bus = Collected()
        self.catalogs = FixedCatalogs(empty_catalog())
        self.failure: Exception | None = None

    async def load(self, user_id: str) -> Stored:
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        return await self.store.load(user_id)

    async def commit(self, document: Document, version: object | None) -> None:
        await self.store.commit(document, version)

    def wired(self) -> Wiring:
        application = Application(PackedRecords(self, Terms()), self.bus, self.catalogs, self.clock, Terms())
        return Wiring(application, self.store, self.bus, self.clock, Terms())

    @property
    def letters(self) -> list[dict[str, Any]]:
        return [message.body for message in self.bus.messages if message.topic == "dead-letter"]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    wiring.use(world.wired())
    yield world
    wiring.use(None)
    world.store.close()


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """Every logged line, as Cloud Logging would parse it."""
    lines: list[dict[str, Any]] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(self.format(record)))

    handler, root = Lines(), logging.getLogger()
    handler.setFormatter(CloudFormatter("p"))
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def function(name: str) -> Any:
    return create_asgi_app(name, str(FUNCTIONS / name / "main.py"), "http")


async def deliver(
    topic: str, data: object, attributes: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """The status and the outcome of one delivery from Pub/Sub."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return await post(topic, json.dumps(push(data, attributes)).encode(), headers)


async def post(topic: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
    app = function(topic.replace("-", "_"))
    status, answer = await call(
        app, "POST", f"/{topic}", {"content-type": "application/json", **(headers or {})}, body
    )
    return status, answer[OUTCOME_HEADER]


def test_these_are_all_the_functions() -> None:
    assert {topic.replace("-", "_") for topic in [*VALID, "lifecycle-clock"]} == set(NAMES)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
@pytest.mark.parametrize("name", NAMES)
async def test_whoever_only_looks_is_told_that_it_is_up(name: str, method: str, world: World) -> None:
    status, _ = await call(function(name), method, "/", {})
    assert status == 200
    assert world.bus.messages == []


@pytest.mark.parametrize("topic", [topic for topic in VALID if topic != "trigger-feedback"])
async def test_an_event_is_applied_and_acknowledged(topic: str, world: World) -> None:
    assert await deliver(topic, VALID[topic]) == (204, "applied")
    assert world.letters == []


async def test_an_event_that_comes_again_is_acknowledged_as_a_duplicate(world: World) -> None:
    assert await deliver("payment", PAYMENT) == (204, "applied")
    document = await world.store.load(USER)
    assert await deliver("payment", PAYMENT) == (204, "duplicate")
    assert await world.store.load(USER) == document
    assert len(world.bus.messages) == 1


@pytest.mark.parametrize("topic", sorted(VALID))
async def test_a_sandbox_event_is_acknowledged_and_changes_nothing(topic: str, world: World, logged) -> None:
    assert await deliver(topic, VALID[topic] | {"environment": "sandbox"}) == (204, "ignored")
    assert (await world.store.load(USER), world.bus.messages) == (Stored(None, None), [])
    assert [(line["severity"], line["outcome"], line["reason"]) for line in logged] == [
        ("INFO", "ignored", "sandbox")
    ]


@pytest.mark.parametrize("topic", sorted(VALID))
async def test_an_event_of_before_an_erasure_is_acknowledged_and_the_log_names_nobody(
    topic: str, world: World, logged
) -> None:
    erasure = VALID["user-erasure"] | {"occurred_at": "2026-03-15T09:30:01Z"}
    assert await deliver("user-erasure", erasure) == (204, "applied")
    stored = await world.store.load(USER)
    assert await deliver(topic, VALID[topic]) == (204, "ignored")
    assert (await world.store.load(USER), world.bus.messages) == (stored, [])
    assert [(line["severity"], line["outcome"], line.get("reason")) for line in logged] == [
        ("INFO", "applied", None),
        ("INFO", "ignored", "erased"),
    ]
    assert USER not in json.dumps(logged)


async def test_a_sandbox_event_is_processed_where_the_setting_says_so(world: World) -> None:
    wiring.use(replace(world.wired(), process_sandbox=True))
    assert await deliver("payment", PAYMENT | {"environment": "sandbox"}) == (204, "applied")
    assert await deliver("payment", PAYMENT | {"environment": "staging"}) == (204, "dead_lettered")
    assert [letter["reason"] for letter in world.letters] == ["unknown_value"]


FUTURE = PAYMENT | {"occurred_at": (NOW + timedelta(minutes=6)).isoformat()}


@pytest.mark.parametrize(
    ("topic", "data", "reason"),
    [
        ("payment", b"\xff secret-bytes", "not_json"),
        ("payment", b"", "not_json"),
        ("payment", PAYMENT | {"amount": "secret-amount"}, "invalid"),
        ("trial-start", PAYMENT, "invalid"),
        ("churn-signal", COMMON | {"signal": "secret-signal"}, "unknown_value"),
        ("payment", FUTURE, "future_dated"),
        ("payment", b"[" + b" " * 70_000 + b"]", "too_large"),
        ("trigger-feedback", COMMON | {"trigger_id": "secret-trigger", "kind": "clicked"}, "unknown_trigger"),
        ("lifecycle-clock", {"shards": [64]}, "invalid"),
        ("lifecycle-due", [], "invalid"),
    ],
)
async def test_what_can_never_succeed_is_acknowledged_and_kept_as_it_was(
    topic: str, data: object, reason: str, world: World, logged: list[dict[str, Any]]
) -> None:
    assert await deliver(topic, data, ATTRIBUTES) == (204, "dead_lettered")
    (letter,) = world.letters
    assert (letter["reason"], letter["topic"], letter["attributes"]) == (reason, topic, ATTRIBUTES)
    assert b64decode(letter["data_base64"]) == (data if isinstance(data, bytes) else json.dumps(data).encode())
    (line,) = logged
    assert (line["severity"], line["topic"], line["outcome"], line["reason"]) == (
        "WARNING",
        topic,
        "dead_lettered",
        reason,
    )
    assert line["message"].startswith(f"{topic}: dead letter: {reason}: ")
    assert "secret" not in json.dumps(line)
    assert await world.store.load(USER) == Stored(None, None)


async def test_an_id_used_for_other_content_is_kept_and_changes_nothing(world: World) -> None:
    await deliver("payment", PAYMENT)
    document = await world.store.load(USER)
    assert await deliver("payment", PAYMENT | {"amount": 1}) == (204, "dead_lettered")
    assert [letter["reason"] for letter in world.letters] == ["id_reused"]
    assert await world.store.load(USER) == document


@pytest.mark.parametrize(
    "body", [b"", b"secret words", b"[]", b'{"message": {"data": "\xc3\xa4"}}', b'{"message": 5}']
)
async def test_a_request_that_is_no_push_is_kept_whole(
    body: bytes, world: World, logged: list[dict[str, Any]]
) -> None:
    assert await post("payment", body) == (204, "dead_lettered")
    (letter,) = world.letters
    assert letter["reason"] == "bad_envelope"
    assert b64decode(letter["data_base64"]) == body
    assert "secret" not in json.dumps(logged)


async def test_of_a_body_beyond_the_bound_the_letter_holds_the_beginning_and_says_the_rest(
    world: World, logged: list[dict[str, Any]]
) -> None:
    body = json.dumps(push(b"secret" * 300_000, ATTRIBUTES)).encode()
    assert await post("payment", body) == (204, "dead_lettered")
    assert await post("payment", body) == (204, "dead_lettered")
    letter, again = world.letters
    assert (letter["reason"], letter["truncated_from"]) == ("too_large", len(body))
    assert b64decode(letter["data_base64"]) == body[:KEPT_BYTES]
    assert letter["pubsub_message_id"] == push(b"")["message"]["messageId"]
    assert again["dead_letter_id"] == letter["dead_letter_id"]
    assert "secret" not in json.dumps(logged)


async def test_a_body_at_the_bound_is_kept_whole(world: World) -> None:
    wiring.use(replace(world.wired(), max_body_bytes=1000))
    for size, truncated in ((1000, None), (1001, 1001)):
        assert await post("payment", b"x" * size) == (204, "dead_lettered")
        assert world.letters[-1]["truncated_from"] == truncated
        assert b64decode(world.letters[-1]["data_base64"]) == b"x" * size


async def test_a_client_that_goes_away_is_no_error_of_ours(world: World, logged: list[dict[str, Any]]) -> None:
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
    }
    await function("payment")(scope, receive, send)
    assert world.bus.messages == []
    (line,) = logged
    assert (line["severity"], line["outcome"], line["reason"]) == ("INFO", "failed", "client_gone")


@pytest.mark.parametrize("topic", sorted(VALID))
async def test_what_may_pass_is_not_acknowledged(topic: str, world: World, logged: list[dict[str, Any]]) -> None:
    world.failure = Transient("Firestore: DeadlineExceeded")
    assert await deliver(topic, VALID[topic]) == (503, "failed")
    assert world.bus.messages == []
    (line,) = logged
    assert line["severity"] == "WARNING"
    assert line["message"] == f"{topic}: transient failure, redelivery requested: Firestore: DeadlineExceeded"
    assert line["outcome"] == "failed"


async def test_a_bug_is_not_acknowledged_and_logged_with_its_trace_but_without_its_words(
    world: World, logged: list[dict[str, Any]]
) -> None:
    world.failure = KeyError(USER)
    assert await deliver("payment", PAYMENT, {"traceparent": TRACE}) == (500, "failed")
    assert world.bus.messages == []
    (line,) = logged
    assert line["severity"] == "ERROR"
    assert line["message"].startswith(
        "payment: unexpected error, redelivery requested\nTraceback (most recent call last):\n"
    )
    assert line["message"].endswith("builtins.KeyError")
    assert "in load" in line["message"]
    assert line["logging.googleapis.com/trace"].endswith(TRACE.split("-")[1])
    assert USER not in json.dumps(line)


@pytest.mark.parametrize(
    "blob", [b"", b"damaged", b"x\x9c\xabV*-N-R\xb2R*NM.J-\xd1-\x05\xf2\x95j\x01B\xa2\x06\x1d"]
)
async def test_a_document_that_cannot_be_read_waits_for_a_version_that_can(
    blob: bytes, world: World, logged: list[dict[str, Any]]
) -> None:
    await world.store.commit(Document(USER, blob, None, {}), None)
    stored = await world.store.load(USER)
    assert await deliver("payment", PAYMENT) == (500, "failed")
    assert await world.store.load(USER) == stored
    assert world.bus.messages == []
    (line,) = logged
    assert line["severity"] == "ERROR"
    assert line["message"].endswith("shared.record.codec.UnreadableRecord")
    assert USER not in json.dumps(line)


async def test_a_dead_letter_that_cannot_be_published_is_not_acknowledged(world: World) -> None:
    world.bus.broken = True
    assert await deliver("payment", b"no json") == (503, "failed")
    assert await post("payment", b"no push") == (503, "failed")
    world.bus.broken = False
    assert await deliver("payment", b"no json") == (204, "dead_lettered")
    assert len(world.letters) == 1


async def test_what_was_committed_but_not_published_goes_out_when_it_comes_again(world: World) -> None:
    world.bus.broken = True
    assert await deliver("payment", PAYMENT) == (503, "failed")
    document = await world.store.load(USER)
    assert document.blob is not None
    world.bus.broken = False
    assert await deliver("payment", PAYMENT) == (204, "duplicate")
    assert [message.topic for message in world.bus.messages] == ["subscription-change"]
    assert await world.store.load(USER) == document


@pytest.mark.parametrize(
    ("attributes", "headers"),
    [
        ({"googclient_traceparent": TRACE, "traceparent": TRACE[:-2] + "00"}, {}),
        ({"traceparent": TRACE}, {"traceparent": TRACE[:-2] + "00"}),
        ({}, {"traceparent": TRACE}),
        ({"googclient_traceparent": USER}, {"traceparent": TRACE}),
    ],
    ids=["Pub/Sub's own", "the producer's", "the request's", "the request's, where there is a wrong one"],
)
async def test_every_line_names_the_trace_of_its_delivery(
    attributes: dict[str, str], headers: dict[str, str], world: World, logged: list[dict[str, Any]]
) -> None:
    await deliver("payment", b"no json", attributes, headers)
    await deliver("payment", b"no json")
    first, second = logged
    assert first["logging.googleapis.com/trace"] == f"projects/p/traces/{TRACE.split('-')[1]}"
    assert first["logging.googleapis.com/spanId"] == TRACE.split("-")[2]
    assert first["logging.googleapis.com/trace_sampled"] is True
    assert "logging.googleapis.com/trace" not in second
    assert len(world.letters) == 2


async def test_a_request_that_is_no_push_still_has_the_requests_trace(world: World, logged) -> None:
    await post("payment", b"no push", {"traceparent": TRACE})
    assert [line["logging.googleapis.com/spanId"] for line in logged] == [TRACE.split("-")[2]]
    assert len(world.letters) == 1


async def test_deliveries_at_once_keep_their_traces_apart(world: World, logged: list[dict[str, Any]]) -> None:
    world.failure = Transient("gone")
    spans = [f"{n:016x}" for n in range(1, 9)]
    traces = [f"00-{'a' * 32}-{span}-01" for span in spans]
    await asyncio.gather(*(deliver("payment", PAYMENT, {"traceparent": trace}) for trace in traces))
    assert sorted(line["logging.googleapis.com/spanId"] for line in logged) == spans


@pytest.mark.parametrize("data", [b"", b"{}", json.dumps({"shards": [due_shard(USER)]}).encode()])
async def test_a_tick_is_acknowledged_and_says_how_many_are_due(data: bytes, world: World, logged) -> None:
    await world.store.commit(Document(USER, b"blob", NOW, {}), None)
    assert await deliver("lifecycle-clock", data) == (204, "ticked")
    assert [message.topic for message in world.bus.messages] == ["lifecycle-due"]
    assert [(line["message"], line["due_users"], line["left"]) for line in logged] == [
        ("lifecycle-clock: ticked", 1, 0)
    ]


async def test_an_applied_event_is_one_line_with_its_effects_and_its_timing(world: World, logged) -> None:
    world.catalogs.catalog = EVERYTHING
    published = NOW - timedelta(seconds=2)
    event = push(json.dumps(PAYMENT).encode(), {})
    event["message"]["publishTime"] = published.isoformat()
    event["deliveryAttempt"] = 3
    assert await post("payment", json.dumps(event).encode()) == (204, "applied")
    (line,) = logged
    triggers = [m.body["trigger_id"] for m in world.bus.messages if m.topic == "upsell-trigger"]
    assert line.pop("cold_start") in {True, False}
    assert triggers
    assert line == {
        "severity": "INFO",
        "message": "payment: applied",
        "topic": "payment",
        "outcome": "applied",
        "status_before": "none",
        "status_after": "active",
        "trigger_ids": triggers,
        "delivery_attempt": 3,
        "duration_ms": 0.0,
        "latency_ms": 2000.0,
    }


async def test_an_ill_formed_attribute_is_warned_of_by_name_and_costs_no_payment(world: World, logged) -> None:
    payment = {**PAYMENT, "profile": {"attributes": {"genre": {"secret": 1}, "level": 3}}}
    assert await deliver("payment", payment) == (204, "applied")
    (line,) = logged
    (told,) = line["dropped_attributes"]
    assert (line["severity"], line["message"], line["outcome"]) == ("WARNING", "payment: applied", "applied")
    assert line["message_id"]
    assert told.startswith("genre: expected a text")
    assert told.endswith("found an object")
    assert "secret" not in json.dumps(line)
    assert {message.topic for message in world.bus.messages} == {"subscription-change"}


@pytest.mark.usefixtures("world")
async def test_where_only_warnings_are_logged_dropped_attributes_still_are(logged, caplog) -> None:
    caplog.set_level(logging.WARNING, logger="shared.entrypoints.deliver")
    await deliver("payment", {**PAYMENT, "profile": {"attributes": {"level": 3}}})
    await deliver("payment", {**PAYMENT, "event_id": "e-9", "profile": {"attributes": 3}})
    (line,) = logged
    assert line["dropped_attributes"] == ["attributes: expected an object, found an integer"]


async def test_where_content_is_logged_a_line_has_the_event_and_what_came_of_it(world: World, logged) -> None:
    wiring.use(replace(world.wired(), log_content=True))
    await deliver("payment", PAYMENT)
    await deliver("payment", PAYMENT | {"amount": -1})
    applied, refused = logged
    assert json.loads(applied["data"]) == PAYMENT
    (change,) = applied["published"]
    assert (change["topic"], change["user_id"]) == ("subscription-change", PAYMENT["user_id"])
    assert (json.loads(refused["data"])["amount"], refused["outcome"]) == (-1, "dead_lettered")


async def test_a_misspelt_field_is_named_in_the_line_of_an_accepted_event(world: World, logged) -> None:
    assert await deliver("payment", {**PAYMENT, "paymentId": "secret", "own_note": "secret"}) == (204, "applied")
    (line,) = logged
    assert (line["severity"], line["unknown_fields"]) == ("INFO", ["paymentId (payment_id?)"])
    assert line["message_id"]
    assert "secret" not in json.dumps(line)
    assert {message.topic for message in world.bus.messages} == {"subscription-change"}


async def test_a_line_names_the_user_only_by_a_keyed_hash(world: World, logged) -> None:
    wiring.use(replace(world.wired(), user_hash_key="secret"))
    await deliver("payment", PAYMENT)
    wiring.use(replace(world.wired(), user_hash_key="other"))
    await deliver("payment", PAYMENT)
    first, second = (line["user_hash"] for line in logged)
    assert first == hash_user(USER, "secret") != second
    assert USER not in json.dumps(logged)


@pytest.mark.usefixtures("world")
async def test_the_first_delivery_of_a_process_is_its_cold_start(logged, monkeypatch) -> None:
    monkeypatch.setattr("shared.entrypoints.deliver.COLD_START", ColdStart())
    for _ in range(2):
        await deliver("payment", PAYMENT)
    assert [line["cold_start"] for line in logged] == [True, False]


async def test_every_field_of_a_line_is_a_field_of_the_event_log(world: World, logged) -> None:
    await deliver("payment", PAYMENT)
    await deliver("payment", b"no json")
    await deliver("lifecycle-clock", b"{}")
    world.failure = Transient("gone")
    await deliver("payment", PAYMENT)
    assert {name for line in logged for name in line} - {"severity", "message"} <= set(FIELDS)
    assert [line.get("reason") for line in logged] == [None, "not_json", None, "transient"]


async def test_a_tick_that_cannot_publish_comes_again(world: World) -> None:
    await world.store.commit(Document(USER, b"blob", NOW, {}), None)
    world.bus.broken = True
    assert await deliver("lifecycle-clock", b"{}") == (503, "failed")


@pytest.mark.parametrize("name", NAMES)
def test_a_function_without_its_settings_fails_at_its_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(InvalidSettings, match="GOOGLE_CLOUD_PROJECT: expected the id of a Google Cloud project"):
        function(name)
