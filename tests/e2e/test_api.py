"""The API over HTTP on the emulators: what the page for apps shows, a crash, an outage, and a crowd."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4
from zipfile import ZipFile

import pytest

from infra.catalog.load import artifacts_of
from infra.deploy.package import zip_function
from infra.emulator.functions import CLOUD_ENVIRONMENT
from infra.emulator.readiness import wait_until_ready
from infra.emulator.runtime import EmulatorRuntime
from infra.remote import running
from infra.remote.endpoints import Endpoints
from infra.remote.firestore import emulator_client, publish_catalog
from infra.topology import load
from tests.support import api_docs
from tests.support.booted import PROVE_IMPORTS, Booted, make_interpreter
from tests.support.listening import pull
from tests.support.shell import run_script
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow]

PLACEMENT = "in_app_banner"


@pytest.fixture(scope="module")
def fuse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chaos") / "fuse"


@pytest.fixture(scope="module")
def up(emulators, fuse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorRuntime]:
    """Both services of the API and the function `trial_start`, found by commands through their state file."""
    table = load()
    only = {"functions": {"trial_start": table.functions["trial_start"]}, "schedules": {}}

    def publish(endpoints: Endpoints) -> None:
        publish_catalog(emulator_client(endpoints), api_docs.catalog(), artifacts_of(api_docs.catalog()))

    folder = tmp_path_factory.mktemp("state")
    with EmulatorRuntime(
        f"test-{uuid4().hex[:12]}",
        topology=table.model_copy(update=only),
        emulators=emulators,
        env={"UPBEAT_EXIT_BEFORE_PUBLISH": str(fuse)},
        publish_catalog=publish,
        state_folder=folder,
    ) as runtime:
        yield runtime


class Told:
    """An answer: its status, headers and JSON."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers = status, headers
        self.json = json.loads(body) if body else None


def ask(address: str, path: str, content: Any = None, **headers: str) -> Told:
    """One request on a connection of its own."""
    given = {
        "content-type": "application/json",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    body = None if content is None else json.dumps(content).encode()
    try:
        with urlopen(Request(f"{address}{path}", body, given), timeout=30) as response:  # noqa: S310 - our own
            return Told(response.status, response.headers, response.read())
    except HTTPError as error:
        return Told(error.code, error.headers, error.read())


def decide(address: str, user: str, key: str) -> Told:
    return ask(address, f"/v1/users/{user}/decisions", {"placement": PLACEMENT, "idempotency_key": key})


def published(up: EmulatorRuntime, user: str) -> list[dict[str, Any]]:
    """The triggers about a user that were published since the last call."""
    return [message.json for message in pull(up.bus, "upsell-trigger") if message.json["user_id"] == user]


def start_trial(up: EmulatorRuntime, user: str) -> str:
    now = datetime.now(UTC)
    event = {
        "event_id": uuid4().hex,
        "user_id": user,
        "occurred_at": now.isoformat(),
        "plan": "premium_monthly",
        "trial_ends_at": (now + timedelta(days=14)).isoformat(),
    }
    up.bus.publish("trial-start", json.dumps(event).encode())
    return event["event_id"]


def test_an_app_asks_before_its_event_has_come_decides_reports_and_learns_why(up: EmulatorRuntime) -> None:
    user, (decisions, reading) = f"user-{uuid4().hex}", addresses(up)
    event_id = start_trial(up, user)
    asked = f"/v1/users/{user}/subscription?after_event_id={event_id}"
    assert eventually(lambda: not ask(reading, asked).json["stale"])
    told = ask(reading, asked).json
    assert told["subscription"]["status"] == "trialing"
    newer = f"/v1/users/{user}/subscription?min_sequence={told['sequence'] + 1}"
    assert ask(reading, newer).json["stale"]

    decided = decide(decisions, user, "k1").json
    offer = decided["offer"]
    assert (offer["campaign_id"], decided["is_new"]) == ("on_the_home_screen", True)
    assert decide(decisions, user, "k1").json == decided | {"is_repeat": True}
    assert not ask(reading, newer).json["stale"]
    assert ask(reading, f"/v1/users/{user}/offers?placement={PLACEMENT}").json["offers"] == [offer]
    heard: list[dict[str, Any]] = []
    assert eventually(lambda: heard.extend(published(up, user)) or heard)
    assert {one["trigger_id"] for one in heard} == {offer["trigger_id"]}
    feedback = f"/v1/users/{user}/triggers/{offer['trigger_id']}/feedback"
    assert ask(decisions, feedback, {"kind": "clicked"}).json["state"] == "clicked"
    assert ask(reading, feedback, {"kind": "clicked"}).json["reason"] == "not_allowed"
    assert ask(reading, f"/v1/users/{user}/decisions/latest").json["decision"]["event"]["event_id"] == "k1"

    entitlement = ask(reading, f"/v1/users/{user}/entitlement")
    assert entitlement.json["entitled"] is True
    again = ask(reading, f"/v1/users/{user}/entitlement", if_none_match=entitlement.headers["etag"])
    assert (again.status, again.json) == (304, None)
    assert user not in up.last_lines("decisions") + up.last_lines("decisions_read")


def addresses(up: EmulatorRuntime) -> tuple[str, str]:
    return up.function_urls["decisions"], up.function_urls["decisions_read"]


def test_a_crash_between_commit_and_publish_costs_an_answer_and_the_repeat_has_it(
    up: EmulatorRuntime, fuse: Path
) -> None:
    user, (decisions, reading) = f"user-{uuid4().hex}", addresses(up)
    fuse.touch()
    with pytest.raises((OSError, HTTPException)):
        decide(decisions, user, "k1")
    assert not fuse.exists()
    assert published(up, user) == []
    (open_offer,) = ask(reading, f"/v1/users/{user}/offers").json["offers"]
    up.wait_until_ready("decisions")
    repeated = decide(decisions, user, "k1").json
    assert (repeated["offer"], repeated["is_new"], repeated["is_repeat"]) == (open_offer, True, True)
    heard: list[dict[str, Any]] = []
    assert eventually(lambda: heard.extend(published(up, user)) or heard)
    assert [one["trigger_id"] for one in heard] == [open_offer["trigger_id"]]


def test_a_thousand_requests_at_once_are_answered(up: EmulatorRuntime) -> None:
    user, (decisions, _) = f"user-{uuid4().hex}", addresses(up)
    start_trial(up, user)
    host, port = urlsplit(decisions).netloc.split(":")
    head = f"GET /v1/users/{user}/entitlement HTTP/1.1\r\nhost: {host}\r\n"

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"{head}connection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer.split(b"\r\n", 1)[0]

    async def pipelined() -> int:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"{head}\r\n".encode() * 999 + f"{head}connection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer.count(b"HTTP/1.1 200 OK")

    async def crowd() -> tuple[set[bytes], int]:
        apart, together = asyncio.gather(*(one() for _ in range(1000))), pipelined()
        return set(await apart), await together

    assert asyncio.run(crowd()) == ({b"HTTP/1.1 200 OK"}, 1000)


def test_the_page_for_apps_is_true(up: EmulatorRuntime, tmp_path: Path) -> None:
    script = "\n".join(api_docs.blocks("sh")).replace("http://127.0.0.1:PORT", addresses(up)[0])
    told = run(script.replace("/tmp/", f"{tmp_path}/"), up)  # noqa: S108 - the page's own
    assert '"openapi":"/openapi.json"' in told
    assert '"status":"trialing"' in told
    assert "cache-control: private, max-age=60" in told
    assert "}304\n" in told
    assert '"stale":true' in told  # nobody has sent receipt-4711
    assert '"campaign_id":"on_the_home_screen"' in told
    assert '"outcome":"applied","state":"impression"' in told
    assert '"topic":"offer-request"' in told


def test_the_client_of_the_page_works(up: EmulatorRuntime) -> None:
    user, (address, _) = f"auth0|{uuid4().hex}", addresses(up)
    start_trial(up, user)
    (source,) = api_docs.blocks("python")
    room: dict[str, Any] = {}
    exec(source, room)  # noqa: S102 - the page is ours
    client = room["Upbeat"](address)
    assert eventually(lambda: room["Upbeat"](address).has_access(user))
    assert client.has_access(user) is True
    offer = client.offer(user, PLACEMENT, "k1")
    assert client.offer(user, PLACEMENT, "k1") == offer
    assert client.tell(user, offer["trigger_id"], "dismissed") == "applied"
    with pytest.raises(RuntimeError, match=r"422.*unknown_value"):
        client.offer(user, "nowhere", "k2")


def run(script: str, up: EmulatorRuntime) -> str:
    return run_script(script, **{running.FOLDER_VARIABLE: str(up._state_folder)})


@pytest.mark.parametrize("service", sorted(load().services))
def test_a_zip_alone_answers_and_without_a_store_says_so(
    service: str, tmp_path: Path, up: EmulatorRuntime
) -> None:
    with ZipFile(zip_function(service, tmp_path / f"{service}.zip")) as bundle:
        bundle.extractall(tmp_path / service)
    nowhere = {**up.endpoints.env, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
    env = {**CLOUD_ENVIRONMENT, **PROVE_IMPORTS, **nowhere, "UPBEAT_USER_HASH_KEY": "k"}
    interpreter = make_interpreter(tmp_path / "interpreter")
    with Booted(service, tmp_path / service, interpreter, env) as booted:
        wait_until_ready(booted.process, booted.url)
        assert ask(booted.url, "/healthz").json == {"status": "ok"}
        refused = ask(booted.url, "/v1/users/ada/entitlement")
        assert (refused.status, refused.json["reason"], refused.headers["retry-after"]) == (
            503,
            "unavailable",
            "1",
        )
        unloaded = {path.relative_to(booted.source) for path in booted.source.rglob("shared/**/*.py")}
        unloaded -= booted.loaded_files
        assert Path("shared/entrypoints/api/openapi.py") in unloaded
        assert ask(booted.url, "/openapi.json").json["openapi"] == "3.1.0"
    (line,) = [entry for entry in booted.log if entry.get("method") == "GetEntitlement"]
    assert (line["severity"], line["outcome"], line["reason"]) == ("WARNING", "failed", "unavailable")
    assert len(line["user_hash"]) == 16
    assert "ada" not in "".join(booted.printed)
