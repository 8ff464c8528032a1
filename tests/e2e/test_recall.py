"""`catalog recall` against emulators: what it refuses, how long it waits, and what it publishes."""

import json
from datetime import timedelta
from typing import Any

import pytest
from google.pubsub_v1.types import Subscription
from typer.testing import CliRunner

from infra.__main__ import app
from infra.remote.firestore import publish_catalog
from shared.decisioning.compile import compile_catalog

pytestmark = pytest.mark.emulator

OFFERED = compile_catalog(
    {
        "placements": {"banner": {"channel": "in_app"}},
        "offers": {"any": {"cms_ref": "x", "validity_hours": 1}},
        "campaigns": {"sale": {"offer": "any", "placement": "banner", "moments": ["renewed"], "priority": 1}},
    }
)
CLOSED = compile_catalog({})


@pytest.fixture
def bus(bus):
    """Pub/Sub, with a subscription to the messages to due users."""
    bus.create_subscription(Subscription(name=bus.subscription_path("due"), topic=bus.topic_path("lifecycle-due")))
    return bus


@pytest.fixture
def waits(monkeypatch) -> list[timedelta]:
    """The waits that would have been; nothing waits."""
    found: list[timedelta] = []
    monkeypatch.setattr("infra.sweeps.pace.wait_for", lambda duration, _progress: found.append(duration))
    return found


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["catalog", *words])


def test_a_recall_publishes_one_message_for_each_holder(firestore, bus, waits) -> None:
    for user, campaigns in {"anna": ["sale"], "ben": [], "cleo": ["sale", "tips"], "dora": ["tips"]}.items():
        firestore.document(f"subscriptions/{user}").set({"open_campaigns": campaigns})
    publish_catalog(firestore, OFFERED)
    number = publish_catalog(firestore, CLOSED)
    told = json.loads(run("recall", "sale", "--json").stdout)
    assert (told["published"], told["catalog_number"]) == (2, number)
    bodies = [each.json for each in bus.pull("due", 100)]
    assert sorted(body["user_id"] for body in bodies) == ["anna", "cleo"]
    assert {body["catalog_number"] for body in bodies} == {number}
    (wait,) = waits
    assert timedelta(seconds=60) < wait <= timedelta(seconds=120), "a refresh and the longest commit"
    assert run("recall", "sale", "--no-wait").exit_code == 0
    assert len(waits) == 1


@pytest.mark.usefixtures("bus")
def test_a_wait_is_over_when_the_catalog_has_been_in_force_long_enough(firestore, waits, monkeypatch) -> None:
    publish_catalog(firestore, CLOSED)
    monkeypatch.setattr("infra.sweeps.pace.settles_at", lambda published_at, *_: published_at)
    assert run("recall", "sale").exit_code == 0
    assert waits == []


@pytest.mark.usefixtures("bus")
def test_the_refresh_is_that_of_the_functions(firestore, waits, monkeypatch) -> None:
    publish_catalog(firestore, CLOSED)
    monkeypatch.setenv("UPBEAT_CATALOG_SECONDS", "3600")
    assert run("recall", "sale").exit_code == 0
    assert waits[0] > timedelta(minutes=59)
    monkeypatch.setenv("UPBEAT_CATALOG_SECONDS", "soon")
    refused = run("recall", "sale")
    assert (refused.exit_code, "UPBEAT_CATALOG_SECONDS: expected a number" in refused.stderr) == (2, True)


@pytest.mark.usefixtures("waits")
def test_what_is_still_offered_is_refused(firestore, bus) -> None:
    firestore.document("subscriptions/anna").set({"open_campaigns": ["sale"]})
    publish_catalog(firestore, OFFERED)
    refused = run("recall", "sale")
    assert refused.exit_code == 2
    assert "the campaign sale is live: the triggers would stay open" in refused.stderr
    assert bus.pull("due", 10) == []
    assert json.loads(run("recall", "sale", "--force", "--json").stdout)["published"] == 1


@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize("pointer", [None, {"version": "missing"}, {"version": "a/b"}, {"version": 7}, {}])
def test_without_a_valid_catalog_there_is_nothing_to_recall_by(firestore, pointer) -> None:
    if pointer is not None:
        firestore.document("catalog/current").set(pointer)
    done = run("recall", "sale")
    assert done.exit_code == 1
    assert "expected a valid catalog in force, found none" in done.stderr
