"""The commands of policies, on the warehouse of a replayed history."""

from tests.support import analysts

analysts.required("duckdb", "numpy", "scipy", "sqlglot", "altair", "vl_convert")

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from shared.decisioning.experiments.policy import parse_policy

pytestmark = pytest.mark.slow
START = datetime(2026, 3, 1, tzinfo=UTC)
END = "2026-03-20T00:00:00Z"
USERS = 1_500
RATES = {("plain", "DE"): 0.1, ("plain", "SE"): 0.5, ("gift", "DE"): 0.5, ("gift", "SE"): 0.1}
"""The share that converts, by arm and country."""

CATALOG = {
    "placements": {"banner": {"channel": "in_app"}},
    "offers": {id_: {"cms_ref": f"offers/{id_}", "validity_hours": 72} for id_ in ("plain", "gift")},
    "audiences": {"germans": {"all": [{"country": "profile.country == 'DE'"}]}},
    "experiments": {
        "words": {
            "policy": "bandit",
            "floor": 0.02,
            "segments": ["germans"],
            "variants": [{"id": "plain", "offer": "plain"}, {"id": "gift", "offer": "gift"}],
            "goal_metrics": ["converted"],
        },
        "weighted": {
            "salt": "w",
            "variants": [
                {"id": "plain", "offer": "plain", "weight": 0.5},
                {"id": "gift", "offer": "gift", "weight": 0.5},
            ],
        },
    },
    "campaigns": {
        "upgrade": {
            "offer": "plain",
            "placement": "banner",
            "moments": ["activated"],
            "priority": 50,
            "experiment": "words",
        }
    },
}


def upbeat(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of decisions, and of the conversions that followed from them."""
    folder = tmp_path_factory.mktemp("season")
    (folder / "policies").mkdir()
    (folder / "policies/bandit.json").write_text(
        json.dumps({"arms": {"plain": 0.5, "gift": 0.5}, "policy_version": "start"})
    )
    (folder / "catalog.yaml").write_text(json.dumps(CATALOG))
    bought = [purchase(number) for number in range(USERS)]
    triggers = replayed(folder, bought)
    conversions = [*converted(triggers)]
    replayed(folder, [*bought, *conversions])
    upbeat("warehouse", "load", str(folder / "out"), "--warehouse", str(folder / "w.duckdb"))
    upbeat("warehouse", "run", "--warehouse", str(folder / "w.duckdb"))
    return folder


def country(user_id: str) -> str:
    return "DE" if int(user_id.removeprefix("user-")) % 2 else "SE"


def purchase(number: int) -> dict[str, Any]:
    user_id, at = f"user-{number}", START + timedelta(seconds=number)
    data = {
        "event_id": f"p-{number}",
        "user_id": user_id,
        "occurred_at": at.isoformat(),
        "outcome": "succeeded",
        "plan": "monthly",
        "amount": 999,
        "currency": "EUR",
        "period_start": at.isoformat(),
        "period_end": (at + timedelta(days=30)).isoformat(),
        "profile": {"country": country(user_id)},
    }
    return {"topic": "payment", "data": data}


def replayed(folder: Path, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (folder / "events.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    where = ("--out", str(folder / "out"), "--catalog", str(folder / "catalog.yaml"))
    upbeat("replay", str(folder / "events.jsonl"), *where, "--keep-store", "--now", END)
    return [orjson.loads(line) for line in (folder / "out/triggers.jsonl").read_bytes().splitlines()]


def converted(triggers: list[dict[str, Any]]) -> Any:
    chance = random.Random(4)  # noqa: S311 - the same history in every run
    for trigger in triggers:
        if chance.random() < RATES[trigger["variant"], country(trigger["user_id"])]:
            at = datetime.fromisoformat(trigger["decided_at"]) + timedelta(hours=chance.uniform(1, 60))
            data = {
                "event_id": f"c-{trigger['trigger_id']}",
                "user_id": trigger["user_id"],
                "occurred_at": at.isoformat(),
                "trigger_id": trigger["trigger_id"],
                "kind": "converted",
            }
            yield {"topic": "trigger-feedback", "data": data}


def words(folder: Path, command: str, *more: str) -> list[str]:
    catalog, warehouse = str(folder / "catalog.yaml"), str(folder / "w.duckdb")
    return ["policy", command, "words", "--catalog", catalog, "--warehouse", warehouse, "--now", END, *more]


def test_a_refresh_tells_segments_apart_where_that_pays_and_its_policy_is_valid_in_the_catalog(
    folder: Path,
) -> None:
    told = json.loads(upbeat(*words(folder, "refresh", "--json")))
    assert told["telling_segments_apart"]["clears_every_fixed_arm"]
    written = json.loads((folder / "policies/bandit.json").read_text())
    assert written == told["policy"]
    policy = parse_policy("bandit", written)
    assert policy.arms["plain"] > 0.9, "those of no segment are Swedes"
    assert policy.segments["germans"]["gift"] > 0.9
    assert "is valid" in upbeat("catalog", "lint", str(folder / "catalog.yaml"))
    decisions = sum(arm["decisions"] for arm in told["arms"])
    assert decisions == USERS, "each user once, however often feedback is told"


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    before = (folder / "policies/bandit.json").read_bytes()
    output = upbeat(*words(folder, "refresh", "--dry-run", "--purpose", "measure"))
    assert "not written (--dry-run)" in output
    assert "users of no segment" in output
    assert (folder / "policies/bandit.json").read_bytes() == before


def test_a_policy_is_judged_before_it_is_used(folder: Path) -> None:
    candidate = folder / "candidate.json"
    apart = {"arms": {"plain": 1.0, "gift": 0.0}, "segments": {"germans": {"plain": 0.0, "gift": 1.0}}}
    candidate.write_text(json.dumps({**apart, "policy_version": "1"}))
    told = json.loads(upbeat(*words(folder, "evaluate", "--policy", str(candidate), "--json")))
    assert told["doubly_robust"]["low"] < 0.49 < told["doubly_robust"]["high"]
    candidate.write_text(json.dumps({"arms": {"plain": 1.0, "gift": 0.0}, "policy_version": "2"}))
    assert "more than gift always" in upbeat(*words(folder, "evaluate", "--policy", str(candidate)), code=1)


def test_what_makes_no_sense_is_refused(folder: Path) -> None:
    catalog = ("--catalog", str(folder / "catalog.yaml"))
    assert "expected an experiment none, found weighted, words" in upbeat(
        "policy", "refresh", "none", *catalog, code=2
    )
    assert "expected a policy for experiment weighted, found weights" in upbeat(
        "policy", "refresh", "weighted", *catalog, code=2
    )
    assert "--purpose: expected measure or exploit" in upbeat(
        *words(folder, "refresh", "--purpose", "win"), code=2
    )
    early = words(folder, "refresh", "--days", "1")
    assert "policy_inputs: expected decisions" in upbeat(*early, code=1)
    assert "--delay: expected a whole number" in upbeat("policy", "simulate", "--delay", "soon", code=2)


def test_a_season_is_a_page_without_a_network(tmp_path: Path) -> None:
    page = tmp_path / "season.html"
    upbeat("policy", "simulate", "--decisions", "3000", "--seeds", "2", "--html", str(page))
    text = page.read_text()
    assert text.count("<svg") == 2
    assert "<script" not in text
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in text
