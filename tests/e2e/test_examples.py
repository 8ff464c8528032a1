"""The examples do what they say on the emulators, as their README starts them."""

import importlib.util
import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from infra.topology import ROOT
from tests.support.shell import run_script, upbeat_up
from tests.support.watching import eventually

README = (ROOT / "examples/README.md").read_text()
MAKE, ENVIRONMENT, PYTHON, TYPESCRIPT, CURL = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
CONTRACTS = ROOT / "docs/contracts/examples"
PUBLISH = "examples/curl/emulator.sh publish {topic} <<'EOF'\n{body}\nEOF"
PATIENT = "--idle-seconds 20"
"""For a busy machine: the consumers wait 8 s unless told otherwise."""
NOW = datetime(2026, 4, 16, 12, tzinfo=UTC)
pytestmark = [pytest.mark.slow]


def example(topic: str, name: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    return topic, json.loads((CONTRACTS / topic / f"{name}.json").read_text()) | changes


ISSUED, REVOKED = example("upsell-trigger", "issued"), example("upsell-trigger", "revoked")
CHANGE = example("subscription-change", "failed")
LATER = example(
    "subscription-change", "failed", message_id="later", sequence=CHANGE[1]["sequence"] + 1, user_entitled=False
)


@pytest.fixture(scope="module")
def new_inbox() -> Any:
    """The class `Inbox` of the Python example."""
    spec = importlib.util.spec_from_file_location("example_inbox", ROOT / "examples/python/inbox.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Inbox


def test_an_offer_is_shown_until_it_is_revoked_or_expires(new_inbox: Any) -> None:
    inbox = new_inbox()
    inbox.apply(*ISSUED)
    assert [offer["offer_id"] for offer in inbox.offers("u-1001", NOW)] == ["one_month_half_price"]
    assert inbox.offers("u-1001", NOW + timedelta(days=30)) == []
    inbox.apply(*REVOKED)
    assert inbox.offers("u-1001", NOW) == []


def test_every_order_of_delivery_with_everything_twice_leads_to_the_same_state(new_inbox: Any) -> None:
    for order in permutations([ISSUED, REVOKED, CHANGE, LATER]):
        inbox = new_inbox()
        assert all(inbox.apply(*message) for message in order)
        assert not any(inbox.apply(*message) for message in order)
        assert (inbox.offers("u-1001", NOW), inbox.has_access("u-1001")) == ([], False)


def test_a_consumer_that_starts_again_remembers(new_inbox: Any, tmp_path: Path) -> None:
    first = new_inbox(str(tmp_path / "inbox.sqlite"))
    first.apply(*REVOKED)
    again = new_inbox(str(tmp_path / "inbox.sqlite"))
    assert not again.apply(*REVOKED)
    again.apply(*ISSUED)
    assert again.offers("u-1001", NOW) == []


@pytest.fixture(scope="module")
def up(_emulator_sdk: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a running Upbeat."""
    folder = tmp_path_factory.mktemp("state")
    with upbeat_up(folder):
        yield folder


def run(script: str, state: Path, place: Path = ROOT) -> list[dict[str, Any]]:
    """The objects that a block of the README prints, after the block that sets the environment."""
    script = re.sub(r"consumer\.py$", rf"\g<0> {PATIENT}", script, flags=re.MULTILINE)
    script = re.sub(r"npm start$", rf"\g<0> -- {PATIENT}", script, flags=re.MULTILINE)
    told = run_script((ENVIRONMENT + script).replace(".upbeat/", f"{state}/"), place)
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


def check_the_offer(told: list[dict[str, Any]], user: str) -> None:
    known = [each for each in told if each.get("user") == user][-1]
    assert known["access"] is True
    assert "update_payment_method" in {offer["offer_id"] for offer in known["offers"]}


def test_there_is_no_block_that_no_test_runs() -> None:
    assert MAKE == "make up\n"


@pytest.mark.emulator
def test_the_python_example_learns_of_the_offer_for_a_failed_payment(up: Path) -> None:
    check_the_offer(run(PYTHON, up), "ada")


@pytest.mark.emulator
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing: expected it for examples/curl")
def test_curl_reads_what_it_caused(up: Path) -> None:
    told = run(CURL, up)
    assert eventually(lambda: told.extend(run(CURL.splitlines()[-1], up)) or any(map(is_about_bob, told)))
    (change,) = filter(is_about_bob, told)
    assert change["after"]["status"] == "trialing"


def is_about_bob(message: dict[str, Any]) -> bool:
    return message.get("user_id") == "bob"


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the TypeScript example needs, in which npm has installed its packages."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node or npm is missing: expected Node.js 20 or newer for examples/typescript")
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "docs/contracts", copy / "docs/contracts")
    unbuilt = shutil.ignore_patterns("node_modules", "dist", "contracts", "__pycache__")
    shutil.copytree(ROOT / "examples", copy / "examples", ignore=unbuilt)
    npm = ["npm", "ci", "--no-audit", "--no-fund"]
    done = subprocess.run(npm, cwd=copy / "examples/typescript", capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode and re.search("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network", done.stderr):
        pytest.skip("npm's registry cannot be reached: expected it for examples/typescript")
    assert done.returncode == 0, done.stderr
    return copy


@pytest.mark.emulator
def test_the_typescript_example_learns_of_the_offer_too(up: Path, typescript: Path) -> None:
    assert "npm ci\n" in TYPESCRIPT
    check_the_offer(run(TYPESCRIPT.replace("npm ci\n", ""), up, typescript), "eve")


def of_user(body: dict[str, Any], user: str) -> dict[str, Any]:
    """The message about this user: with ids of its own, since another test's subscription may get it, too."""
    ids = {name: f"{user}-{body[name]}" for name in ("message_id", "trigger_id") if name in body}
    return body | ids | {"user_id": user, "expires_at": "2099-01-01T00:00:00Z"}


@pytest.mark.emulator
@pytest.mark.parametrize("consumer", ["python", "typescript"])
def test_a_consumer_keeps_the_same_whatever_is_delivered_when_and_how_often(
    consumer: str, up: Path, request: pytest.FixtureRequest
) -> None:
    """Messages of one user, shuffled and repeated, go straight to the topics of Upbeat."""
    place = request.getfixturevalue("typescript") if consumer == "typescript" else ROOT
    commands = {
        "python": "python examples/python/consumer.py",
        "typescript": "cd examples/typescript; npm run build; npm start --",
    }
    user = f"shuffled-{consumer}"
    follow_up = example("upsell-trigger", "follow_up")
    lines = [(topic, of_user(body, user)) for topic, body in (ISSUED, REVOKED, CHANGE, LATER, follow_up)] * 2
    random.Random(consumer).shuffle(lines)  # noqa: S311 - the same in every run
    run(f"{commands[consumer]} --create", up, place)
    publish = "\n".join(PUBLISH.format(topic=topic, body=json.dumps(body)) for topic, body in lines)
    told = run(f"{publish}\n{commands[consumer]} --idle-seconds 8", up, place)  # all of it waits already
    (known,) = [each for each in told if each.get("user") == user]
    assert known["access"] is False
    assert [offer["trigger_id"] for offer in known["offers"]] == [of_user(follow_up[1], user)["trigger_id"]]
