"""E-mail by the deployed functions on the emulators, with a mail server that keeps what it accepts."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener
from uuid import uuid4

import pytest

from infra.catalog.load import artifacts_of, load_catalog
from infra.emulator.runtime import EmulatorRuntime
from infra.remote.firestore import emulator_client, publish_catalog
from infra.topology import load
from shared.adapters.gcp.mail import ADDRESSES, MAILS, READERS, WORDS, words_id
from shared.adapters.gcp.paths import SUBSCRIPTIONS
from tests.support.listening import pull
from tests.support.mail import Sink, mail_server
from tests.support.topologies import with_each_function
from tests.support.watching import eventually

pytestmark = pytest.mark.emulator

CMS_REF = "offers/half-price"
SAID = {
    "subject": "Half price",
    "text": "Go: $click\nNo: $dismiss\nOut: $unsubscribe\n",
    "url": "https://shop.example/?trigger=$trigger_id",
}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Sink, int]]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def up(emulators, server: tuple[Sink, int]) -> Iterator[EmulatorRuntime]:
    """Both functions for e-mail, and those of Upbeat between a payment and an exposure."""
    table = with_each_function(load(), min_backoff_seconds=1, max_backoff_seconds=1)
    hurried = {
        name: row.model_copy(
            update={"min_backoff_seconds": 1, "max_backoff_seconds": 1, "ack_deadline_seconds": 65}
        )
        for name, row in table.consumers.items()
    }
    upbeat = {name: table.functions[name] for name in ("payment", "trigger_feedback")}
    topology = table.model_copy(update={"functions": upbeat, "consumers": hurried, "schedules": {}})
    catalog = load_catalog()
    env = {
        "UPBEAT_SMTP_HOST": "127.0.0.1",
        "UPBEAT_SMTP_PORT": str(server[1]),
        "UPBEAT_SMTP_SECURITY": "none",
        "UPBEAT_MAIL_FROM": "Example <offers@example.com>",
    }
    project = f"test-{uuid4().hex[:12]}"
    with EmulatorRuntime(
        project,
        topology=topology,
        emulators=emulators,
        env=env,
        publish_catalog=lambda at: publish_catalog(emulator_client(at), catalog, artifacts_of(catalog)),
        sends_email=True,
    ) as running:
        store(running, WORDS, words_id(CMS_REF), {"default": SAID})
        yield running


@pytest.fixture
def sink(server: tuple[Sink, int]) -> Sink:
    sink, _ = server
    sink.reset()
    return sink


@pytest.fixture
def user(up: EmulatorRuntime) -> str:
    """A user with an address."""
    user = f"u-{uuid4().hex[:8]}"
    store(up, ADDRESSES, user, {"email": f"{user}@example.org", "locale": "fr"})
    return user


def store(up: EmulatorRuntime, collection: str, id_: str, fields: dict[str, Any]) -> None:
    emulator_client(up.endpoints).collection(collection).document(id_).set(fields)


def stored(up: EmulatorRuntime, collection: str, id_: str) -> dict[str, Any] | None:
    return emulator_client(up.endpoints).collection(collection).document(id_).get().to_dict()


def state(up: EmulatorRuntime, trigger_id: str) -> str | None:
    return (stored(up, MAILS, trigger_id) or {}).get("state")


def publish(up: EmulatorRuntime, user: str, kind: str = "issued", sequence: int = 7, **fields: Any) -> str:
    """Publish a trigger as Upbeat does, and return its id."""
    body = {
        "kind": kind,
        "trigger_id": uuid4().hex,
        "user_id": user,
        "sequence": sequence,
        "channel": "email",
        "placement": "email",
        "expires_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        "cms_ref": CMS_REF,
    } | fields
    up.bus.publish("upsell-trigger", json.dumps(body).encode(), {"channel": body["channel"]})
    return body["trigger_id"]


class Reports:
    """What the functions reported so far, by trigger."""

    def __init__(self, up: EmulatorRuntime) -> None:
        self.up = up
        self.heard: list[dict[str, Any]] = []
        name = up.bus.subscription_path(f"reports-{uuid4().hex[:8]}")
        up.bus.subscriber.create_subscription(name=name, topic=up.bus.topic_path("trigger-feedback"))
        self.name = name.rpartition("/")[2]

    def of(self, trigger_id: str) -> list[str]:
        received = self.up.bus.pull(self.name)
        self.up.bus.ack(self.name, received)
        self.heard += [message.json for message in received]
        return [report["kind"] for report in self.heard if report["trigger_id"] == trigger_id]


@pytest.fixture
def reports(up: EmulatorRuntime) -> Reports:
    return Reports(up)


def link(sink: Sink, action: str) -> str:
    """The link for an action in the one mail that was received."""
    (mail,) = sink.received
    (found,) = re.findall(rf"http\S*/{action}/\S+", mail.get_content())
    return found


def call(address: str, method: str = "GET", data: bytes | None = None) -> tuple[int, str, str]:
    """The status, the text and the Location of an answer; a redirect is not followed."""
    request = Request(address, method=method, data=data)  # noqa: S310 - a function on this machine
    try:
        with build_opener(NotFollowed).open(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers.get("location", "")
    except HTTPError as error:
        return error.code, error.read().decode(), error.headers.get("location", "")


class NotFollowed(HTTPRedirectHandler):
    """A redirect is an answer like others."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def test_a_trigger_becomes_one_mail_and_its_links_report(up, sink, user, reports) -> None:
    trigger_id = publish(up, user)
    assert eventually(lambda: state(up, trigger_id) == "sent")
    assert eventually(lambda: reports.of(trigger_id) == ["delivered"])
    assert sink.recipients == [f"{user}@example.org"]

    status, page, _ = call(link(sink, "click"))
    assert (status, "<form method=post>" in page) == (200, True)
    assert reports.of(trigger_id) == ["delivered"], "a GET only asks"
    assert call(link(sink, "click"), "POST")[::2] == (303, f"https://shop.example/?trigger={trigger_id}")
    assert eventually(lambda: reports.of(trigger_id) == ["delivered", "clicked"])

    one_click = sink.received[0]["List-Unsubscribe"].strip("<>")
    assert call(one_click, "POST", b"List-Unsubscribe=One-Click")[0] == 200
    assert eventually(lambda: reports.of(trigger_id) == ["delivered", "clicked", "dismissed"])
    assert (stored(up, READERS, user) or {})["opted_out_at"]
    publish(up, user, sequence=8)
    assert eventually(lambda: "opted_out" in up.last_lines("deliver_email"))
    assert len(sink.received) == 1


def pay(up: EmulatorRuntime, user: str, at: datetime, outcome: str, **period: datetime) -> None:
    event = {"event_id": uuid4().hex, "user_id": user, "occurred_at": at, "outcome": outcome, **period}
    money = {"plan": "premium_monthly", "amount": 1099, "currency": "EUR"}
    up.bus.publish("payment", json.dumps(event | money, default=datetime.isoformat).encode())


def test_a_payment_that_fails_becomes_a_mail_and_its_click_an_exposure(up, sink, user) -> None:
    store(up, WORDS, words_id("offers/update-payment-method"), {"default": SAID})
    now, day = datetime.now(UTC), timedelta(days=1)
    pay(up, user, now - 31 * day, "succeeded", period_start=now - 31 * day, period_end=now - day)
    assert eventually(lambda: stored(up, SUBSCRIPTIONS, user)), "a failure that comes first makes no offer"
    pay(up, user, now - timedelta(hours=2), "failed", period_start=now - day, period_end=now + 29 * day)
    assert eventually(lambda: sink.received)
    assert call(link(sink, "click"), "POST")[0] == 303
    kinds: set[str] = set()
    assert eventually(
        lambda: kinds.update(message.json["kind"] for message in pull(up.bus, "exposure")) or len(kinds) > 1
    )
    assert kinds == {"delivered", "clicked"}


def test_a_forged_link_does_nothing_and_says_so(up, sink, user, reports) -> None:
    trigger_id = publish(up, user)
    assert eventually(lambda: sink.received)
    good = link(sink, "dismiss")
    for forged in (good[:-1] + ("0" if good[-1] != "0" else "1"), good.replace("/dismiss/", "/unsubscribe/")):
        assert call(forged, "POST")[0] == call(forged)[0] == 404
    assert (stored(up, MAILS, trigger_id) or {})["dismissed_at"] is None
    assert "dismissed" not in reports.of(trigger_id)


def test_what_is_revoked_before_it_is_sent_is_not_sent(up, sink, user) -> None:
    trigger_id = publish(up, user, "revoked", sequence=8)
    assert eventually(lambda: state(up, trigger_id) == "revoked")
    publish(up, user, trigger_id=trigger_id)
    sent = publish(up, user, sequence=9)
    assert eventually(lambda: state(up, sent) == "sent")
    assert len(sink.received) == 1


def test_a_bounce_is_acknowledged_and_a_failure_for_now_is_tried_again(up, sink, user) -> None:
    sink.to_recipient = "450 later"
    trigger_id = publish(up, user)
    assert eventually(lambda: state(up, trigger_id) == "waiting")
    sink.to_recipient = "250 OK"
    assert eventually(lambda: state(up, trigger_id) == "sent")
    sink.to_recipient = "550 no such user"
    bounced = publish(up, user, sequence=8)
    assert eventually(lambda: state(up, bounced) == "bounced")
    sink.to_recipient = "250 OK"
    assert len(sink.received) == 1


def test_killed_while_the_server_has_the_content_the_mail_is_not_sent_twice(up, sink, user) -> None:
    """The process is killed with SIGKILL; Pub/Sub delivers again, and the mail stays in doubt."""
    reached, go_on = threading.Event(), threading.Event()
    before = Sink.handle_DATA

    async def slow(self, server, session, envelope) -> str:
        answer = await before(self, server, session, envelope)
        reached.set()
        go_on.wait(30)
        return answer

    Sink.handle_DATA = slow
    try:
        trigger_id = publish(up, user)
        assert reached.wait(30)
        assert state(up, trigger_id) == "sending"
        up.kill("deliver_email")
    finally:
        Sink.handle_DATA = before
        go_on.set()
    up.wait_until_ready("deliver_email")
    store_lease_ended(up, trigger_id)
    assert eventually(lambda: state(up, trigger_id) == "in_doubt")
    assert len(sink.received) == 1


def store_lease_ended(up: EmulatorRuntime, trigger_id: str) -> None:
    """Three minutes pass."""
    document = emulator_client(up.endpoints).collection(MAILS).document(trigger_id)
    document.update({"leased_until": datetime.now(UTC) - timedelta(seconds=1)})
