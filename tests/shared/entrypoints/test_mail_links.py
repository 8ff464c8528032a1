"""The function for links, called in this process: what anybody may send to it."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from shared import mail_wiring
from shared.domain.errors import Transient
from shared.entrypoints.mail_links import link_function
from shared.mail.links import Action
from shared.settings import InvalidSettings
from tests.support.mail import KEY, LINKS, TRIGGER_ID, World, trigger

PATHS = {action: LINKS.link(action, TRIGGER_ID).removeprefix(LINKS.base) for action in Action}
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]


@pytest.fixture
async def world() -> World:
    """A mail that was sent."""
    world = World()
    await world.delivery.deliver(trigger())
    world.bus.taken.clear()
    return world


@pytest.fixture
def client(world: World, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setenv("UPBEAT_MAIL_LINK_KEY", KEY)
    monkeypatch.setattr(mail_wiring, "answers", lambda: world.answers)
    mail_wiring.links.cache_clear()
    function: Any = link_function()
    app = Starlette(routes=[Route("/{path:path}", function, methods=METHODS)])
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_only_a_post_acts(client: TestClient, world: World, action: Action, method: str) -> None:
    assert client.request(method, PATHS[action]).status_code == 200
    assert world.bus.taken == []


@pytest.mark.parametrize("action", Action)
def test_a_post_acts_and_its_page_holds_nothing_of_others(
    client: TestClient, world: World, action: Action
) -> None:
    answer = client.post(PATHS[action], data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == (303 if action is Action.CLICK else 200)
    assert [message.body["kind"] for message in world.bus.taken] == [
        "clicked" if action is Action.CLICK else "dismissed"
    ]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/x", "/click", f"{PATHS[Action.CLICK]}0", f"/{PATHS[Action.CLICK]}", "/%00", "/<script>"]
)
def test_what_was_not_signed_does_nothing(client: TestClient, world: World, path: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, path)
        assert answer.status_code == 404
        assert "script>" not in answer.text
    assert world.bus.taken == []


def test_a_mail_that_is_forgotten_is_said_to_be(client: TestClient, world: World) -> None:
    world.outbox.mails.clear()
    assert client.post(PATHS[Action.CLICK]).status_code == 404


def test_a_store_that_does_not_answer_asks_to_try_again(client: TestClient, world: World, monkeypatch) -> None:
    async def down(_id: str) -> None:
        raise Transient("no answer")

    monkeypatch.setattr(world.outbox, "load_mail", down)
    assert client.post(PATHS[Action.CLICK]).status_code == 503


def test_the_root_says_that_the_function_is_there(client: TestClient) -> None:
    assert client.get("/").text == "ok\n"


def test_without_a_key_the_function_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPBEAT_MAIL_LINK_KEY", raising=False)
    with pytest.raises(InvalidSettings, match="UPBEAT_MAIL_LINK_KEY"):
        link_function()
