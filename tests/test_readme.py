"""Every command that the README shows is run here, as it stands there."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from infra.analytics.campaigns.counted import counted
from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.catalog.warnings import warnings
from infra.demo import cdnow
from infra.remote import running
from infra.replay.replay import replay
from infra.topology import ROOT
from tests.support import analysts
from tests.support.shell import run_script, upbeat_up

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
MAKE, TOUR, REBUILD, CATALOG, SCORE, WAREHOUSE, UP, EMULATORS, PRODUCTION = range(9)


def run(script: str, folder: Path, **environment: str) -> str:
    """Run a block, with a folder of the test's own for /tmp."""
    return run_script(script.replace("/tmp/", f"{folder}/"), **environment)  # noqa: S108


def test_there_is_no_block_that_no_test_runs() -> None:
    assert len(BLOCKS) == PRODUCTION + 1
    assert BLOCKS[MAKE] == "make demo\nmake test\n"
    assert BLOCKS[UP] == "make up\n"
    assert BLOCKS[PRODUCTION].splitlines()[1:] == [
        "infra/deploy/bootstrap.sh PROJECT",
        "gcloud builds submit --project PROJECT",
    ], "needs a cloud: the script and the build have tests of their own"


@pytest.mark.parametrize("target", ["demo", "test", "up", "lint", "bench", "docs"])
def test_make_knows_the_target(target: str, tmp_path: Path) -> None:
    """`make demo` is run by the tests of the demo, `make up` below; `make test` is what runs this."""
    told = run(f"make -n {target}", tmp_path)
    assert "-m" in told or "ruff" in told or "upbeat" in told


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder in which the tour was run, and its output."""
    folder = tmp_path_factory.mktemp("tour")
    return folder, run(BLOCKS[TOUR], folder)


def test_the_tour_gives_what_it_says(tour: tuple[Path, str]) -> None:
    _, told = tour
    subscriptions, *triggers = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert (subscriptions["status"], subscriptions["entitled"]) == ("grace", True)
    issued = [t["moment"] for t in triggers if t["kind"] == "issued"]
    revoked = [t["moment"] for t in triggers if t["kind"] == "revoked"]
    assert issued == ["trial.ending", "trial.ending", "payment.failed"]
    assert set(revoked) == {"trial.ending"}


def test_what_is_lost_can_be_made_again(tour: tuple[Path, str]) -> None:
    """The commands of this block read the raw log that the tour kept."""
    folder, _ = tour
    told = run(BLOCKS[REBUILD], folder)
    assert told.startswith("1 user: 1 created\n")
    assert "\n1 user: 1 equal\n" in told


@pytest.mark.slow
def test_the_catalog_can_be_checked_and_tried(tour: tuple[Path, str]) -> None:
    """The commands of this block read the events that the tour wrote."""
    folder, _ = tour
    told = run(BLOCKS[CATALOG], folder)
    assert "is valid" in told
    assert "payment_recovery" in told


def test_a_score_can_be_tried(tmp_path: Path) -> None:
    assert run(BLOCKS[SCORE], tmp_path).startswith("1\t0.")


SHOWN = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)]
PAID = {"outcome": "succeeded", "plan": "premium_monthly", "amount": 1099, "currency": "EUR"}
LIFE = [
    {
        "occurred_at": "2026-03-01T09:00:00Z",
        "period_start": "2026-03-01T09:00:00Z",
        "period_end": "2026-04-01T09:00:00Z",
    },
    {
        "occurred_at": "2026-09-01T09:00:00Z",
        "period_start": "2026-09-01T09:00:00Z",
        "period_end": "2026-10-01T09:00:00Z",
    },
]
"""The payments of a user who pays, leaves, comes back and leaves again."""


@pytest.fixture(params=SHOWN, ids=lambda shown: ", ".join(shown["campaigns"]))
def campaigns(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[set[str], Path]:
    """The campaigns of a catalog that the README shows, and a file of the default catalog with them."""
    catalog = yaml.safe_load(DEFAULT_CATALOG.read_text())
    catalog["campaigns"] |= request.param["campaigns"]
    file = tmp_path / "catalog.yaml"
    file.write_text(yaml.safe_dump(catalog))
    return {*request.param["campaigns"]}, file


def test_a_catalog_that_it_shows_makes_offers(campaigns: tuple[set[str], Path], tmp_path: Path) -> None:
    """The campaign that it once showed was valid, and lost 3,374 of 3,374 times."""
    shown, file = campaigns
    lines = [
        {"topic": "payment", "data": {"event_id": f"p{number}", "user_id": "ada", **PAID, **dates}}
        for number, dates in enumerate(LIFE)
    ]
    events = tmp_path / "events.jsonl"
    events.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    replay(events, tmp_path / "out", file, datetime(2027, 1, 1, tzinfo=UTC))
    rows = map(json.loads, (tmp_path / "out" / "triggers.jsonl").read_text().splitlines())
    assert shown <= {row["campaign_id"] for row in rows if row["kind"] == "issued"}


@pytest.mark.slow
def test_a_campaign_that_it_shows_wins_on_the_history_of_the_demo(
    campaigns: tuple[set[str], Path], tmp_path: Path
) -> None:
    """For all users who leave, but those who never paid anything. A tenth of the customers suffices."""
    shown, file = campaigns
    events = tmp_path / "events.jsonl"
    lines = (line for line in cdnow.events() if line["data"]["user_id"].endswith("0"))
    events.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    replay(events, tmp_path / "out", file, keep_store=True)
    funnels = {one.campaign_id: one.counts for one in counted(tmp_path / "out" / "raw").funnels.campaigns()}
    for campaign in shown:
        assert funnels[campaign].issued > 0.9 * funnels[campaign].considered > 100
    changes = map(json.loads, (tmp_path / "out" / "changes.jsonl").read_text().splitlines())
    left = {change["user_id"] for change in changes if change["after"]["status"] == "expired"}
    triggers = map(json.loads, (tmp_path / "out" / "triggers.jsonl").read_text().splitlines())
    won = {one["user_id"] for one in triggers if one["campaign_id"] in shown}
    assert won < left
    free = {line["data"]["user_id"] for line in cdnow.events() if not line["data"]["amount"]}
    assert left - won <= free


def test_a_catalog_that_it_shows_has_no_warning(campaigns: tuple[set[str], Path]) -> None:
    _, file = campaigns
    assert [*warnings(load_catalog(file).document, datetime(2026, 1, 1, tzinfo=UTC))] == []


@pytest.mark.slow
def test_the_models_are_built_of_the_tour(tour: tuple[Path, str]) -> None:
    for module in ("duckdb", "sqlglot"):
        pytest.importorskip(module, reason=analysts.REASON)
    folder, _ = tour
    told = run(BLOCKS[WAREHOUSE], folder)
    assert "raw_payment: 2 added" in told
    assert "subscription_daily" in told


@pytest.mark.emulator
@pytest.mark.usefixtures("_emulator_sdk")
def test_the_emulators_do_what_it_says(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with upbeat_up(state):
        told = run(BLOCKS[EMULATORS], tmp_path, **{running.FOLDER_VARIABLE: str(state)})
    assert "trial.started" in told
    assert "expired" in told
    assert "auto_renew" in told


def test_every_path_that_it_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    named = re.findall(r"`((?:shared|infra|tests|docs|functions)/[\w./]*)`", README)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_step_of_an_event_names_functions_that_its_files_define() -> None:
    """The first cell of a row is a number, the second the files, each followed by the names it defines."""
    steps = re.findall(r"^\| \d+ \| (.*?) \|", README, re.MULTILINE)
    assert len(steps) > 9
    for step in steps:
        source = ""
        for name in re.findall(r"`([\w./]+)`", step):
            if "/" in name:
                source = (ROOT / name).read_text()
            else:
                assert re.search(rf"\b(?:def|class) {name.rpartition('.')[2]}\b", source), name
