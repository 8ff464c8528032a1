"""The guard of experiments on the emulators: it publishes what `catalog publish` would, and nothing else."""

import json

import pytest
from typer.testing import CliRunner

from tests.support import analysts

analysts.required("duckdb", "numpy", "pyarrow", "scipy", "sqlglot", "tea_tasting")

from infra.__main__ import app  # noqa: E402
from infra.remote.firestore import publish_catalog  # noqa: E402
from shared.decisioning.compile import compile_catalog  # noqa: E402
from tests.infra.analytics.experiments.test_guard import ALIKE, CONTENT, HARMED, with_terms  # noqa: E402
from tests.support.experiment_rows import duckdb_of, history  # noqa: E402

pytestmark = pytest.mark.emulator


@pytest.fixture
def guard(tmp_path):
    """Runs the guard on a history."""

    def run(plan, *words):
        file = tmp_path / "warehouse.duckdb"
        if not file.exists():
            duckdb_of(history(plan, 1), file).close()
        return CliRunner().invoke(app, ["experiment", "guard", "--warehouse", str(file), *words])

    return run


def in_force(firestore) -> dict[str, object]:
    return firestore.document("catalog/current").get().to_dict()


def test_harm_stops_the_experiment_in_a_new_catalog_that_is_announced(firestore, bus, guard) -> None:
    publish_catalog(firestore, compile_catalog(CONTENT))
    firestore.document("settings/catalog").set({"needs_approval": True})  # harm does not wait for a second person
    told = json.loads(guard(HARMED, "--json").stdout)
    assert (told["stopped"], told["paused"]) == (["gift"], [])
    expected = compile_catalog(with_terms(state="stopped"))
    pointer = in_force(firestore)
    assert (pointer["version"], pointer["published_by"]) == (expected.version, "experiment guard")
    assert pointer["emergency"] == "a guardrail is surely worse: gift"
    (message,) = bus.receive("catalog-published")
    assert json.loads(message.data)["catalog_version"] == expected.version


@pytest.mark.usefixtures("bus")
def test_a_second_run_changes_nothing(firestore, guard) -> None:
    publish_catalog(firestore, compile_catalog(CONTENT))
    guard(HARMED)
    before = in_force(firestore)
    done = guard(HARMED)
    assert (done.exit_code, in_force(firestore)) == (0, before)
    assert "Nothing is published" in done.stdout


@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize(("plan", "words"), [(ALIKE, ()), (HARMED, ("--dry-run",))])
def test_without_harm_or_in_a_dry_run_nothing_is_published(firestore, guard, plan, words) -> None:
    publish_catalog(firestore, compile_catalog(CONTENT))
    before = in_force(firestore)
    assert guard(plan, *words).exit_code == 0
    assert in_force(firestore) == before


@pytest.mark.usefixtures("bus")
def test_a_campaign_that_is_paused_is_told_with_its_recall(firestore, guard) -> None:
    content = json.loads(json.dumps(CONTENT))
    content["campaigns"]["upgrade"]["offer"] = "offer"
    publish_catalog(firestore, compile_catalog(content))
    done = guard(HARMED)
    assert "Paused, as they would make the harmful offer to all: upgrade." in done.stdout
    assert "catalog recall upgrade" in done.stdout


@pytest.mark.usefixtures("bus", "firestore")
def test_without_a_catalog_in_force_the_guard_fails(guard) -> None:
    done = guard(HARMED)
    assert done.exit_code == 1
    assert "catalog: expected a catalog in force, found none" in done.stderr
