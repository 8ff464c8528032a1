"""Scores and policies in Firestore: loaded before a decision needs them, and kept if a newer one is invalid."""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore import AsyncClient

from infra.catalog.load import artifacts_of, load_catalog
from infra.embedded.runtime import VirtualClock
from infra.errors import InfraError
from infra.remote.firestore import emulator_client, publish_catalog
from shared.adapters.gcp.catalogs import FirestoreCatalogs
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.paths import PublishedArtifact, policy_location, score_location
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.scoring.score import BrokenScore, Score
from shared.domain.errors import Transient
from tests.shared.adapters.wire import Wire
from tests.support.artifacts import logistic, number

pytestmark = pytest.mark.emulator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RISK = json.dumps(logistic(numeric=[number("subscription.recent_payments")]))
OFFERS = {"annual": {"cms_ref": "x", "validity_hours": 1}}
WITH_SCORE = {"scores": {"risk": {"version": 1}}}
A_OR_B = [{"id": "a", "offer": "annual"}, {"id": "b", "offer": None}]


def with_policy(*more: dict[str, Any]) -> dict[str, Any]:
    return {"offers": OFFERS, "experiments": {"price": {"policy": "bandit", "variants": [*A_OR_B, *more]}}}


def policy(version: str, **arms: float) -> str:
    return json.dumps({"arms": arms or {"a": 0.5, "b": 0.5}, "policy_version": version})


def score(name: str, version: int, text: str) -> PublishedArtifact:
    return PublishedArtifact(score_location(name, version), text)


def policy_artifact(name: str, text: str) -> PublishedArtifact:
    return PublishedArtifact(policy_location(name), text)


Put = Callable[[PublishedArtifact], Awaitable[None]]
Look = Callable[[], Awaitable[Catalog]]


@pytest.fixture
def put(firestore: AsyncClient) -> Put:
    """A function that writes an artifact to its location."""

    async def write(artifact: PublishedArtifact) -> None:
        location = artifact.location
        await firestore.collection(location.collection).document(location.id).set({location.field: artifact.text})

    return write


@pytest.fixture
def publish(firestore: AsyncClient) -> Callable[..., Awaitable[None]]:
    """A function that writes a catalog and puts it in force."""

    async def write(version: str, content: dict[str, Any]) -> None:
        await firestore.collection("catalog").document(version).set({"catalog": content})
        await firestore.collection("catalog").document("current").set({"version": version})

    return write


@pytest.fixture
def look(documents: Documents) -> Look:
    """A function that returns the catalog in force, a minute after its last call."""
    clock = VirtualClock(NOON)
    catalogs = FirestoreCatalogs(documents, clock, MINUTE)

    async def current() -> Catalog:
        clock.move_to(clock.now() + MINUTE)
        return await catalogs.current()

    return current


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.getMessage()
        for one in caplog.records
        if one.levelno >= logging.ERROR and one.name.startswith("shared.")
    ]


async def test_what_a_catalog_names_is_there_with_it(put, publish, look) -> None:
    await put(score("risk", 1, RISK))
    await put(policy_artifact("bandit", policy("1")))
    await publish("v1", WITH_SCORE | with_policy())
    library = (await look()).library
    assert isinstance(library.score("risk", 1), Score)
    assert library.policies["bandit"].version == "1"


async def test_what_the_command_line_publishes_is_found(look, emulators, project, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/bandit.json").write_text(policy("7"))
    file = tmp_path / "catalog.yaml"
    file.write_text(json.dumps({"scores": {"churn_risk": {"version": 1}}} | with_policy()))
    mine = load_catalog(file)
    publish_catalog(emulator_client(emulators.endpoints(project)), mine, artifacts_of(mine, file))
    library = (await look()).library
    assert library.score("churn_risk", 1) == mine.library.score("churn_risk", 1)
    assert library.policies == mine.library.policies


async def test_a_published_artifact_is_not_replaced(put, look, emulators, project) -> None:
    await put(score("risk", 1, RISK))
    client, other = emulator_client(emulators.endpoints(project)), compile_catalog(WITH_SCORE)
    publish_catalog(client, other, [score("risk", 1, RISK)])
    changed = score("risk", 1, RISK.replace('"intercept": 0', '"intercept": 1'))
    with pytest.raises(InfraError, match=r"scores/risk\.1: expected the content that is already published"):
        publish_catalog(client, compile_catalog(WITH_SCORE | {"kill_switch": True}), [changed])
    assert (await look()) == other


async def test_an_artifact_is_read_once(put, publish, look, wire: Wire) -> None:
    await put(score("risk", 1, RISK))
    await publish("v1", WITH_SCORE)
    first = (await look()).library.score("risk", 1)
    wire.forget()
    second = (await look()).library.score("risk", 1)
    assert second is first
    assert wire.read == 1  # only the pointer to the catalog in force


async def test_a_missing_artifact_fails_closed_and_is_told_once(publish, look, caplog) -> None:
    await publish("v1", WITH_SCORE)
    for _ in range(3):
        score = (await look()).library.score("risk", 1)
        assert isinstance(score, BrokenScore)
    assert score.evaluate({}).error == "score risk version 1: no such artifact"
    assert errors(caplog) == ["score risk version 1: expected an artifact in Firestore, found none"]


async def test_a_missing_artifact_that_appears_is_found_at_a_later_look(put, publish, look) -> None:
    await publish("v1", WITH_SCORE)
    assert isinstance((await look()).library.score("risk", 1), BrokenScore)
    await put(score("risk", 1, RISK))
    assert isinstance((await look()).library.score("risk", 1), Score)


async def test_a_broken_artifact_fails_closed_and_says_why(put, publish, look) -> None:
    await put(score("risk", 1, "{"))
    await publish("v1", WITH_SCORE)
    said = (await look()).library.score("risk", 1).evaluate({}).error
    assert said
    assert said.startswith("score risk version 1: invalid artifact (the data: expected JSON")


async def test_another_version_of_a_score_is_another_artifact(put, publish, look) -> None:
    await put(score("risk", 1, RISK))
    await put(score("risk", 2, json.dumps(json.loads(RISK) | {"version": 2, "intercept": 1})))
    await publish("v1", WITH_SCORE)
    await look()
    await publish("v2", {"scores": {"risk": {"version": 2}}})
    library = (await look()).library
    assert library.score("risk", 2) != library.score("risk", 1)


async def test_a_newer_policy_is_taken_up_without_another_catalog(put, publish, look) -> None:
    await put(policy_artifact("bandit", policy("1")))
    await publish("v1", with_policy())
    before = await look()
    await put(policy_artifact("bandit", policy("2", a=0.9, b=0.1)))
    after = await look()
    assert (before.version, before.library.policies["bandit"].version) == (after.version, "1")
    assert after.library.policies["bandit"].arms == {"a": 0.9, "b": 0.1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected JSON"),
        (policy("2", a=0.9, b=0.2), "expected probabilities that add up to 1, found 1.1"),
        (policy("2", a=0.9, c=0.1), "arms: expected the experiment's variants (a, b), found a, c"),
        (7, "expected JSON as text in Firestore, found none"),
    ],
    ids=["no JSON", "no policy", "other arms", "no text"],
)
async def test_an_invalid_policy_never_replaces_a_good_one(put, publish, look, caplog, text, said) -> None:
    await put(policy_artifact("bandit", policy("1")))
    await publish("v1", with_policy())
    await look()
    await put(policy_artifact("bandit", text))
    for _ in range(3):
        assert (await look()).library.policies["bandit"].version == "1"
    (told,) = errors(caplog)
    assert told.startswith("policy bandit is invalid; version 1 stays in use: ")
    assert said in told


async def test_a_missing_policy_is_told_and_assigns_nobody(publish, look, caplog) -> None:
    await publish("v1", with_policy())
    assert [(await look()).library.policies for _ in range(2)] == [{}, {}]
    (told,) = errors(caplog)
    assert told.startswith("policy bandit is invalid; its experiments assign nobody: ")


async def test_a_policy_that_is_ahead_of_its_catalog_waits_for_it(put, publish, look) -> None:
    await put(policy_artifact("bandit", policy("1")))
    await publish("v1", with_policy())
    await look()
    await put(policy_artifact("bandit", policy("2", a=0.4, b=0.4, c=0.2)))
    assert (await look()).library.policies["bandit"].version == "1"
    await publish("v2", with_policy({"id": "c", "offer": "annual"}))
    assert (await look()).library.policies["bandit"].version == "2"


async def test_going_back_brings_back_catalog_and_policy_together(put, publish, look) -> None:
    first = ("v1", with_policy(), policy("1"))
    second = ("v2", with_policy({"id": "c", "offer": None}), policy("2", a=0.4, b=0.4, c=0.2))
    for version, content, text in (first, second, first):
        await put(policy_artifact("bandit", text))
        await publish(version, content)
        assert (await look()).library.policies["bandit"].version == version.removeprefix("v")


async def test_a_catalog_whose_library_cannot_be_read_is_not_in_force(put, publish, look, wire: Wire) -> None:
    await put(score("risk", 1, RISK))
    await publish("v1", {"offers": OFFERS})
    first = await look()
    await publish("v2", WITH_SCORE)
    wire.cut_after(2)  # the pointer and the catalog can be read, the artifact cannot
    assert await look() == first
    wire.mend()
    second = await look()
    assert second != first
    assert isinstance(second.library.score("risk", 1), Score)


async def test_without_its_library_there_is_no_first_catalog(put, publish, look, wire: Wire) -> None:
    await put(score("risk", 1, RISK))
    await publish("v1", WITH_SCORE)
    wire.cut_after(2)
    with pytest.raises(Transient, match="Firestore: INTERNAL"):
        await look()
    wire.mend()
    assert isinstance((await look()).library.score("risk", 1), Score)


async def test_an_outage_leaves_catalog_and_library_in_use(put, publish, look, wire: Wire, caplog) -> None:
    await put(score("risk", 1, RISK))
    await put(policy_artifact("bandit", policy("1")))
    await publish("v1", WITH_SCORE | with_policy())
    before = await look()
    await put(policy_artifact("bandit", policy("2")))
    wire.cut()
    during = await look()
    assert (during.version, during.library) == (before.version, before.library)
    assert errors(caplog) == []
    wire.mend()
    assert (await look()).library.policies["bandit"].version == "2"


async def test_a_broken_catalog_leaves_the_library_in_use(put, publish, look) -> None:
    await put(score("risk", 1, RISK))
    await publish("v1", WITH_SCORE)
    before = await look()
    await publish("v2", {"scores": {"risk": {"version": "2"}}})
    after = await look()
    assert (after.version, after.library) == (before.version, before.library)


async def test_a_score_may_use_the_attributes_of_the_catalog_in_force(put, publish, look) -> None:
    await put(score("risk", 1, json.dumps(logistic(numeric=[number("profile.attributes.visits")]))))
    await publish("v1", WITH_SCORE)
    assert isinstance((await look()).library.score("risk", 1), BrokenScore)
    await publish("v2", WITH_SCORE | {"attributes": {"visits": {"type": "number"}}})
    assert isinstance((await look()).library.score("risk", 1), Score)
