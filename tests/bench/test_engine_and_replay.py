"""Tests of the benchmarks in one process: each runs with very little, and its two sides do the same."""

from dataclasses import replace

import pytest

from infra.replay.journal import FILES
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Profile
from tests.bench import growth, growthbook_sdk, replays
from tests.bench.parts import parts
from tests.bench.replays import through_engine, through_replay

EVENTS = 120


@pytest.mark.parametrize("name", [replays.RENEWALS, replays.DEMO])
def test_the_engine_alone_has_the_messages_of_the_replay(name, tmp_path):
    lines = replays.histories(EVENTS)[name]

    through_replay(lines, tmp_path)()
    engine = through_engine(lines)()

    written = {topic: (tmp_path / "out" / file).read_bytes().splitlines() for topic, file in FILES.items()}
    assert {topic: {*of_topic} for topic, of_topic in written.items() if of_topic} == {
        topic: {*of_topic} for topic, of_topic in engine.outputs.items()
    }
    of_time = [b'"topic":"lifecycle-due"' in data for data in engine.outputs["subscription-change"]]
    assert any(of_time) is (name == replays.DEMO)  # the renewals are on time


def test_a_replay_is_measured_against_the_engine():
    results = replays.replaying(turns=1, events=50)

    assert [result.baseline_name for result in results] == ["engine alone"] * 2
    assert all(value > 0 for result in results for value in (*result.ours, *result.baseline))


def test_the_parts_are_measured():
    results = parts(turns=1)

    assert len(results) == 8
    assert all(result.ratio > 0 for result in results)


@pytest.mark.parametrize("size", growthbook_sdk.SIZES)
def test_ours_and_growthbook_assign_the_same_variants_in_every_experiment(size):
    pytest.importorskip("growthbook", reason="growthbook is not installed: `make test-bench` runs this")

    issued = growthbook_sdk.deciding(size)().issued
    results = growthbook_sdk.evaluating(size)()

    ours = {trigger.campaign_id.removeprefix("campaign_"): trigger.variant for trigger in issued}
    assert ours == {str(number): result.value for number, result in enumerate(results)}
    assert len(ours) == size
    assert {result.source for result in results} == {"experiment"}


def test_the_decision_is_measured():
    pytest.importorskip("growthbook", reason="growthbook is not installed: `make test-bench` runs this")

    assert [len(result.ours) for result in growthbook_sdk.decision(turns=1)] == [1, 1]


def test_the_targeting_of_every_campaign_can_fail():
    """Otherwise the clauses might be constant, and cost nothing."""
    elsewhere = replace(growthbook_sdk.USER, profile=Profile(country="US"))
    catalog = compile_catalog(growthbook_sdk.catalog(3))

    decided = growthbook_sdk.decide(growthbook_sdk.Situation(catalog, elsewhere), [growthbook_sdk.RENEWED])

    assert [result.loss.reason for result in decided.results] == ["audience"] * 3


def test_growth_is_measured_against_a_user_with_a_full_ring():
    results = growth.growing(turns=1, sizes=(10, growth.FULL_RING, 120))

    assert [result.baseline_name for result in results] == ["after 100", "after 100"]
    assert [result.what.split(" (")[0] for result in results] == ["event after 10", "event after 120"]
