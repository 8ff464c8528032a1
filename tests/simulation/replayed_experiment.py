"""One history with a known effect, replayed event by event through the functions, the raw log and the models.

`python -m tests.simulation.replayed_experiment --users 20000` runs it at full size;
tests/simulation/test_replayed_experiment.py runs a small one. Each user pays once, which brings the offer, unless
the variant or a holdout withholds it. Some change their plan in the week after, more of them where the offer was
made, and some get their money back in the week after that. One event in ten is published twice, and some plan
changes are told days late.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from infra.analytics.experiments.report import Asked, Report, report
from infra.analytics.warehouse.engine import open_engine
from infra.analytics.warehouse.load import load as load_raw
from infra.analytics.warehouse.models import read_models
from infra.analytics.warehouse.runner import run
from infra.replay.replay import replay
from infra.topology import load as load_topology
from shared.decisioning.catalog import Campaign
from shared.decisioning.compile import compile_catalog

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS, OBSERVED_DAYS = 20, 40
WINDOW_DAYS = 14
BASE, EFFECT = 0.10, 0.10
REFUNDED, HARM = 0.03, 0.05
DOUBLED, LATE = 0.10, 0.10
HELD_OUT = 0.15
CATALOG: dict[str, Any] = {
    "placements": {"banner": {"channel": "in_app"}},
    "offers": {"annual": {"cms_ref": "offers/annual", "validity_hours": 240}},
    "experiments": {
        "gift": {
            "variants": [
                {"id": "control", "weight": 0.5, "offer": None},
                {"id": "offer", "weight": 0.5, "offer": "annual"},
            ],
            "goal_metrics": ["plan.changed"],
            "guardrail_metrics": ["refunded"],
        }
    },
    "holdouts": {"everything": {"percent": 100 * HELD_OUT}},
    "campaigns": {
        "upgrade": {
            "offer": "annual",
            "placement": "banner",
            "moments": ["activated"],
            "priority": 50,
            "cap": {"max": 1},
            "experiment": "gift",
        }
    },
}


def lines(users: int, seed: int) -> Iterator[dict[str, Any]]:
    """The events of all users, in any order."""
    chance = random.Random(seed)  # noqa: S311 - a history that is the same in every run
    campaign = compile_catalog(CATALOG).campaigns["upgrade"]
    for number in range(users):
        at = START + timedelta(seconds=chance.randrange(DAYS * 86_400))
        for line in _of_user(f"user-{number}", at, campaign, chance):
            yield line
            if chance.random() < DOUBLED:
                yield line


def _of_user(user: str, at: datetime, campaign: Campaign, chance: random.Random) -> Iterator[dict[str, Any]]:
    treated = _is_treated(user, at, campaign)
    yield _payment(user, "bought", at, plan="monthly")
    if chance.random() < BASE + EFFECT * treated:
        changed = at + timedelta(hours=chance.randrange(1, 7 * 24))
        late = chance.randrange(1, 72) if chance.random() < LATE else 0
        line = _payment(user, "changed", changed, plan="annual")
        yield line | {"publish_time": (changed + timedelta(hours=late)).isoformat()}
    if chance.random() < REFUNDED + HARM * treated:
        back = at + timedelta(hours=chance.randrange(7 * 24 + 1, 14 * 24))  # after every change of plan
        yield _payment(user, "back", back, outcome="refunded", payment_id=f"{user}-bought")


def _is_treated(user: str, at: datetime, campaign: Campaign) -> bool:
    experiment = campaign.experiment
    if experiment is None or any(holdout.includes(user, at) for holdout in campaign.holdouts):
        return False
    index = experiment.index(user)
    return index is not None and experiment.terms.variants[index].offer is not None


def _payment(user: str, name: str, at: datetime, **facts: Any) -> dict[str, Any]:
    period = {"period_start": at.isoformat(), "period_end": (at + 365 * DAY).isoformat(), "amount": 999}
    told = {"outcome": "succeeded", "payment_id": f"{user}-{name}", "currency": "EUR", **period, **facts}
    if told["outcome"] == "refunded":
        told = {key: told[key] for key in ("outcome", "payment_id")}
    data = {"event_id": f"{user}-{name}", "user_id": user, "occurred_at": at.isoformat(), **told}
    return {"topic": "payment", "publish_time": at.isoformat(), "data": data}


def replayed(folder: Path, users: int, seed: int, id_: str = "gift") -> Report:
    """The report about the history, made by everything that makes one in production."""
    events, catalog = folder / "events.jsonl", folder / "catalog.yaml"
    ordered = sorted(lines(users, seed), key=lambda line: line["publish_time"])
    events.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in ordered))
    catalog.write_bytes(orjson.dumps(CATALOG))
    replay(events, folder / "out", catalog, START + OBSERVED_DAYS * DAY, keep_store=True)
    with open_engine(str(folder / "warehouse.duckdb")) as engine:
        load_raw(engine, folder / "out", tuple(load_topology().topics), lambda _: None)
        list(run(engine, read_models()))
        return report(engine, id_, Asked(window_days=WINDOW_DAYS))


def main() -> None:
    """Print the report's intervals beside what was planted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = replayed(Path(folder), asked.users, asked.seed)
    sys.stdout.write(f"units {dict(found.units)}, mismatches {found.mismatches or 'none'}\n")
    for one in found.excluded:
        sys.stdout.write(f"left out: {one.reason} {dict(one.units)}\n")
    for one in (*found.comparisons, *(each for lift in found.lifts for each in lift.comparisons)):
        told = one.problem or f"{one.plain and one.plain.fixed}, {one.plain and one.plain.always}"
        sys.stdout.write(f"{one.metric} of {one.arm} within {one.window_days} days: {told}\n")
    sys.stdout.write(f"planted: plan.changed {EFFECT}, refunded {HARM}; of the holdout half of it\n")


if __name__ == "__main__":
    main()
