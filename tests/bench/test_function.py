"""Tests of the benchmarks of running functions: floor and peer do what they claim, and each harness runs."""

import json
from contextlib import ExitStack

import pytest

from infra.remote.firestore import emulator_client
from infra.topology import load as load_topology
from tests.bench import cold_starts, sweeps
from tests.bench.api import comparison
from tests.bench.api.over_grpc import entitlements_over_grpc
from tests.bench.api.over_http import entitlements_over_http
from tests.bench.function import subjects
from tests.bench.function.benchmark import AT_ONCE, Size, function
from tests.bench.function.load import Load
from tests.bench.function.subjects import Profile, listening, published
from tests.bench.function.workload import Scenario, Workload
from tests.support.booted import make_interpreter

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
PROFILES = {
    Scenario.RENEWAL: Profile(1000, [300, 500]),
    Scenario.DUPLICATE: Profile(None, []),
}


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    return make_interpreter(tmp_path_factory.mktemp("interpreter"))


@pytest.fixture(scope="module")
def load():
    with Load() as running:
        yield running


@pytest.fixture
def peer(emulators, tmp_path, interpreter):
    with subjects.peer(emulators, tmp_path, interpreter) as running:
        yield running


@pytest.fixture
def floor(emulators, tmp_path, interpreter):
    with subjects.floor(emulators, tmp_path, interpreter, PROFILES) as running:
        yield running


def third_payment() -> tuple[list[bytes], bytes]:
    """A user's first two payments, and the third, at which the peer and we make an offer."""
    before, (measured,) = Workload().renewals(Scenario.TRIGGER, 1)
    return [body for (body,) in before], measured


def test_the_peer_folds_publishes_and_ignores_a_duplicate(peer, load):
    before, measured = third_payment()
    topics = load_topology().topics_out
    with listening(peer.endpoints, topics) as bus:
        load.post(peer.url(Scenario.TRIGGER), before, 1)
        first = [json.loads(data) for data in published(bus, topics)]
        load.post(peer.url(Scenario.TRIGGER), [measured], 1)
        third = [json.loads(data) for data in published(bus, topics)]
        load.post(peer.url(Scenario.TRIGGER), [measured, *before], 1)
        again = published(bus, topics)

    assert ["trigger_id" in message for message in first] == [False, False]
    assert sorted("trigger_id" in message for message in third) == [False, True]
    assert again == []
    database = emulator_client(peer.endpoints)
    (user,) = [document.to_dict() for document in database.collection("users").stream()]
    assert (user["status"], user["payments"]) == ("active", 3)
    assert len([*database.collection("events").stream()]) == 3
    assert [*database.collection("outbox").stream()] == []


def test_the_peer_publishes_what_a_crash_left_in_the_outbox(peer, load):
    _, measured = third_payment()
    topics = load_topology().topics_out
    load.post(peer.url(Scenario.RENEWAL), [measured], 1)
    (seen,) = emulator_client(peer.endpoints).collection("events").stream()
    left = {"messages": [{"topic": "subscription-change", "body": {"left": True}}]}
    emulator_client(peer.endpoints).collection("outbox").document(seen.id).set(left)

    with listening(peer.endpoints, topics) as bus:
        load.post(peer.url(Scenario.RENEWAL), [measured], 1)
        assert [json.loads(data) for data in published(bus, topics)] == [{"left": True}]
    assert [*emulator_client(peer.endpoints).collection("outbox").stream()] == []


def test_the_floor_reads_writes_and_publishes_as_much_as_its_profile_says(floor, load):
    _, measured = third_payment()
    with listening(floor.endpoints, ["floor"]) as bus:
        load.post(floor.url(Scenario.RENEWAL), [measured], 1)
        (first,) = emulator_client(floor.endpoints).collection("floor").stream()
        load.post(floor.url(Scenario.RENEWAL), [measured], 1)
        (second,) = emulator_client(floor.endpoints).collection("floor").stream()
        load.post(floor.url(Scenario.DUPLICATE), [measured], 1)
        (third,) = emulator_client(floor.endpoints).collection("floor").stream()
        sizes = [len(data) for data in published(bus, ["floor"])]

    assert len(first.get("blob")) == 1000
    assert first.get("blob") != second.get("blob") == third.get("blob")
    assert second.update_time == third.update_time
    assert sizes == [300, 500] * 2


def test_our_function_has_the_outcomes_that_the_scenarios_are_named_for(emulators, tmp_path, interpreter, load):
    workload = Workload()
    with ExitStack() as stack:
        ours = stack.enter_context(subjects.ours(emulators, tmp_path, interpreter))
        for round_ in workload.full_rings(2):
            load.post(ours.url(Scenario.LATE), round_, 2)
        profiles = subjects.profiles_of(ours, load, workload)
        (renewal,) = workload.renewals(Scenario.RENEWAL, 1).measured
        load.post(ours.url(Scenario.RENEWAL), [renewal, renewal], 1)
    log = [entry["message"] for entry in ours.booted.log if "payment: " in entry["message"]]

    assert len(profiles[Scenario.TRIGGER].published) == len(profiles[Scenario.RENEWAL].published) + 1
    assert profiles[Scenario.LATE].stored > 2 * profiles[Scenario.RENEWAL].stored
    assert log[-2:] == ["payment: applied", "payment: duplicate"]
    assert {*log} == {"payment: applied", "payment: duplicate"}


def test_a_function_that_fails_its_requests_is_not_measured(floor, load):
    with pytest.raises(RuntimeError, match=r"expected only answers of 200 and 204, found \{'500': 1\}"):
        load.post(f"{floor.booted.url}/unknown-scenario", [third_payment()[1]], 1)


def test_the_deployed_function_is_measured_in_every_scenario(emulators):
    results = function(Size(turns=1, events=4, full_rings=2), emulators)

    assert len(results) == len(Scenario) * len(AT_ONCE) * 4
    assert all(value > 0 for result in results for value in (*result.ours, *result.baseline))


@pytest.mark.parametrize("subject", cold_starts.SUBJECTS, ids=lambda one: one.function)
def test_a_cold_start_is_measured_against_the_imports_that_ours_needs_and_nothing_of_ours(
    subject, emulators, tmp_path, interpreter
):
    modules = cold_starts.imported_modules(tmp_path, interpreter, emulators, subject)
    baseline, ours, *_ = cold_starts.prepared(tmp_path, modules, subject)

    for case in (baseline, ours):
        start = cold_starts.start(case, interpreter, emulators)
        assert start.wall > 0 < start.cpu
    assert {"grpc", "pydantic", "orjson"} <= {*modules}
    assert ("starlette.requests" in modules) is not subject.over_grpc
    assert not [name for name in modules if name.startswith("shared")]


@pytest.mark.parametrize("measure", [entitlements_over_http, entitlements_over_grpc])
def test_an_entitlement_is_measured_against_a_bare_get(measure, emulators):
    results = measure(1, 64, emulators)

    assert len(results) == len(comparison.AT_ONCE) * 3
    assert all(value > 0 for result in results for value in (*result.ours, *result.baseline))


def test_a_sweep_is_measured(emulators):
    (cpu, time_of_each) = sweeps.sweeping((20, 40), emulators)

    assert cpu.what == "sweep of 40 due, CPU of each"
    assert cpu.ours[0] > 0 < time_of_each.ours[0]
