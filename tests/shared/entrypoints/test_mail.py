"""The function that sends mail, called as Pub/Sub calls it: each kind of failure has its answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from functions_framework.aio import create_asgi_app

from shared import mail_wiring, wiring
from shared.adapters.fixed import FixedCatalogs
from shared.adapters.packed_records import PackedRecords
from shared.adapters.sqlite import SqliteStore
from shared.application.handle_event import Application
from shared.decisioning.catalog import empty_catalog
from shared.domain.terms import Terms
from shared.entrypoints.pubsub import OUTCOME_HEADER
from shared.mail.errors import NotSent
from shared.settings import InvalidSettings
from tests.shared.mail.test_settings import GIVEN
from tests.support.asgi import FUNCTIONS, call, post
from tests.support.mail import World, trigger
from tests.support.samples import push


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World()
    store = SqliteStore(":memory:")
    application = Application(
        PackedRecords(store, Terms()), world.bus, FixedCatalogs(empty_catalog()), world.clock, Terms()
    )
    wiring.use(wiring.Wiring(application, store, world.bus, world.clock, Terms()))
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(mail_wiring, "delivery", lambda: world.delivery)
    yield world
    wiring.use(None)


def function() -> Any:
    return create_asgi_app("deliver_email", str(FUNCTIONS / "deliver_email" / "main.py"), "http")


async def deliver(body: object) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, headers = await post(function(), json.dumps(push(data)).encode())
    return status, headers[OUTCOME_HEADER]


ISSUED = trigger().model_dump(mode="json")


async def test_a_trigger_is_mailed_and_acknowledged(world: World) -> None:
    assert await deliver(ISSUED | {"a_field_to_come": {}}) == (204, "sent")
    assert await deliver(ISSUED) == (204, "duplicate")
    assert len(world.mailer.letters) == 1


async def test_a_failure_for_now_asks_for_a_redelivery(world: World) -> None:
    world.mailer.refuses = NotSent("no answer")
    assert await deliver(ISSUED) == (503, "failed")


@pytest.mark.parametrize("body", [b"\xff", b"", {}, ISSUED | {"sequence": "7"}, ISSUED | {"trigger_id": "../x"}])
async def test_what_is_no_trigger_is_a_dead_letter(world: World, body: object) -> None:
    assert await deliver(body) == (204, "dead_lettered")
    assert [(message.topic, message.body["topic"]) for message in world.bus.taken] == [
        ("dead-letter", "upsell-trigger")
    ]


async def test_whoever_only_looks_is_told_that_it_is_up(world: World) -> None:
    status, _ = await call(function(), "GET", "/", {})
    assert (status, world.bus.taken) == (200, [])


@pytest.mark.parametrize(
    "name", ["UPBEAT_SMTP_HOST", "UPBEAT_MAIL_FROM", "UPBEAT_MAIL_LINKS", "UPBEAT_MAIL_LINK_KEY"]
)
def test_without_a_setting_the_function_does_not_start(world: World, monkeypatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(InvalidSettings, match=name):
        function()
    assert world.bus.taken == []
