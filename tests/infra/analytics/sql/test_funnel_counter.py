"""The counter of funnels that needs no warehouse gives what the mart `funnel` has, on one history."""

from collections import Counter

import orjson
import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from infra.inspect.funnel import Counts, Funnels
from infra.inspect.funnel_stages import Stage
from infra.raw.line import from_line
from tests.support import experiment_history
from tests.support.raw_rows import Warehouse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    out = experiment_history.replayed(tmp_path_factory.mktemp("history"), users=60)
    files = sorted((out / "raw").glob("*.jsonl"))
    return [(file.stem, from_line(line)) for file in files for line in file.read_bytes().splitlines(keepends=True)]


@pytest.fixture(scope="module")
def funnels(rows):
    counted = Funnels()
    for topic, landed in rows:
        counted.add(topic, orjson.loads(landed.data))
    return counted.campaigns()


@pytest.fixture(scope="module")
def mart(rows):
    warehouse = Warehouse(*rows)
    warehouse.run("funnel")
    yield warehouse
    warehouse.close()


def numbers(campaign, counts: Counts):
    """The same numbers as rows of the mart: by campaign, stage and reason."""
    simple = {stage.value for stage in Stage} - {Stage.LOST, Stage.REVOKED}
    found = {(campaign, stage, None): getattr(counts, stage) for stage in simple}
    found |= {(campaign, "lost", reason): number for reason, number in counts.lost.items()}
    found |= {(campaign, "revoked", reason): number for reason, number in counts.revoked.items()}
    return {key: number for key, number in found.items() if number}


def test_campaigns_are_as_in_the_mart(funnels, mart):
    rows = mart.read("funnel", "campaign_id, stage, reason, number")
    expected = Counter()
    for campaign, stage, reason, number in rows:
        expected[campaign, stage, reason] += number
    found = {key: number for one in funnels for key, number in numbers(one.campaign_id, one.counts).items()}
    assert found == expected
    assert {stage for _, stage, _ in found} == set(Stage)


def test_variants_are_as_in_the_mart(funnels, mart):
    rows = mart.read("funnel", "variant, campaign_id, stage, reason, number", "variant IS NOT NULL")
    expected = Counter()
    for variant, *key, number in rows:
        expected[variant, *key] += number
    found = {
        (part.variant, *key): number
        for one in funnels
        for part in one.variants
        for key, number in numbers(one.campaign_id, part.counts).items()
    }
    assert found == expected


def test_the_held_out_are_those_whom_decisions_name(funnels, mart):
    rows = mart.read("stg_candidate", "campaign_id", "holdouts <> ''")
    found = {one.campaign_id: one.held_out.considered for one in funnels if one.held_out}
    assert found == Counter(campaign for (campaign,) in rows)
