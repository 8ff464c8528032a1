"""A made-up history with experiments, holdouts, a policy and feedback, and its replay."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from infra.replay.replay import replay

START = datetime(2026, 1, 1, tzinfo=UTC)
MONTHS = 4
OFFERS = ("annual", "gift", "stay", "x", "y")
CATALOG: dict[str, Any] = {
    "placements": {"banner": {"channel": "in_app"}, "mail": {"channel": "email", "holds": "decision"}},
    "offers": {name: {"cms_ref": f"offers/{name}", "validity_hours": 48} for name in OFFERS},
    "milestones": {"lapsed": [7]},
    "experiments": {
        "gift": {
            "variants": [
                {"id": "plain", "weight": 0.5, "offer": "annual"},
                {"id": "with_gift", "weight": 0.4, "offer": "gift"},
                {"id": "control", "weight": 0.1, "offer": None},
            ],
            "coverage": 0.8,
            "goal_metrics": ["renewed", "accepted"],
            "guardrail_metrics": ["refunded", "dismissed"],
        },
        "words": {
            "policy": "bandit",
            "floor": 0.05,
            "variants": [{"id": "a", "offer": "x"}, {"id": "b", "offer": "y"}, {"id": "none", "offer": None}],
        },
        "per-sub": {
            "unit": "subscription",
            "variants": [{"id": "c", "weight": 0.5, "offer": None}, {"id": "t", "weight": 0.5, "offer": "stay"}],
            "goal_metrics": ["renewed"],
        },
    },
    "holdouts": {"everything": {"percent": 10}, "upgrades": {"percent": 20, "campaigns": ["upgrade"]}},
    "campaigns": {
        "upgrade": {
            "offer": "annual",
            "placement": "banner",
            "moments": ["renewed"],
            "priority": 50,
            "experiment": "gift",
            "cap": {"max": 2, "window_days": 90},
        },
        "word": {
            "offer": "x",
            "placement": "mail",
            "moments": ["activated", "renewed"],
            "priority": 40,
            "experiment": "words",
        },
        "save": {
            "offer": "stay",
            "placement": "banner",
            "moments": ["payment.failed", "auto_renew.off"],
            "priority": 80,
            "experiment": "per-sub",
        },
    },
}
POLICY = {"arms": {"a": 0.5, "b": 0.3, "none": 0.2}, "policy_version": "v1"}
ANSWERS = (("delivered", 0.95, 0.1), ("impression", 0.6, 1), ("clicked", 0.3, 1.2), ("accepted", 0.2, 1.5),
           ("dismissed", 0.2, 1.4), ("converted", 0.1, 30))  # fmt: skip
"""Kinds of feedback, each with its probability and how many hours after the offer it comes."""
Happened = tuple[datetime, dict[str, Any]]


def replayed(folder: Path, users: int, seed: int = 1) -> Path:
    """Replay a history of so many users twice, the second time with feedback on the offers of the first.

    Returns the folder of the second replay, with its raw log. One line in twenty comes twice, five hours later.
    """
    random = Random(seed)  # noqa: S311 - a history that is the same each time
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "bandit.json").write_text(json.dumps(POLICY))
    catalog = folder / "catalog.yaml"
    catalog.write_text(json.dumps(CATALOG))
    events = [each for number in range(users) for each in _life(f"u{number}", random)]
    replay(_written(folder / "first.jsonl", events, random), folder / "first", catalog)
    told = (folder / "first" / "triggers.jsonl").read_bytes().splitlines()
    answers = [each for line in told for each in _answers(json.loads(line), random)]
    out = folder / "out"
    replay(_written(folder / "events.jsonl", events + answers, random), out, catalog, keep_store=True)
    return out


def _life(user: str, random: Random) -> Iterator[Happened]:
    """The payments, failures, refunds and signals of one user with one or two subscriptions."""
    begun = START + timedelta(days=random.random() * 30)
    for subscription in ("main", "second")[: 1 if random.random() < 0.8 else 2]:
        at, currency = begun, random.choice(["EUR", "EUR", "USD"])
        common = {"user_id": user, "subscription_id": subscription, "source": "billing"}
        for month in range(MONTHS):
            id_ = f"{user}-{subscription}-{month}"
            if random.random() < 0.15:
                yield _event(at, "payment", common, event_id=f"{id_}-f", outcome="failed")
                at += timedelta(days=1)
            paid = {"outcome": "succeeded", "plan": "basic", "amount": 999, "currency": currency}
            period = {"period_start": at.isoformat(), "period_end": (at + timedelta(days=30)).isoformat()}
            yield _event(at, "payment", common, event_id=id_, payment_id=f"p-{id_}", **(paid | period))
            if random.random() < 0.1:
                back = {"outcome": "refunded", "payment_id": f"p-{id_}"}
                yield _event(at + timedelta(days=2), "payment", common, event_id=f"{id_}-r", **back)
            if random.random() < 0.2:
                kind = random.choice(["auto_renew_off", "cancel_page_viewed", "inactivity"])
                yield _event(at + timedelta(days=9), "churn-signal", common, event_id=f"{id_}-s", signal=kind)
            at += timedelta(days=30)
            if random.random() < 0.1:
                return


def _answers(trigger: dict[str, Any], random: Random) -> Iterator[Happened]:
    if trigger["kind"] != "issued":
        return
    issued = datetime.fromisoformat(trigger["decided_at"])
    about = {"user_id": trigger["user_id"], "trigger_id": trigger["trigger_id"]}
    for kind, probability, hours in ANSWERS:
        if random.random() < probability:
            id_ = f"fb-{trigger['trigger_id']}-{kind}"
            yield _event(issued + timedelta(hours=hours), "trigger-feedback", about, event_id=id_, kind=kind)


def _event(at: datetime, topic: str, common: dict[str, Any], **fields: Any) -> Happened:
    return at, {"topic": topic, "data": {**common, "occurred_at": at.isoformat(), **fields}}


def _written(file: Path, events: list[Happened], random: Random) -> Path:
    lines = [(at, line) for at, line in events]
    lines += [(at + timedelta(hours=5), line) for at, line in events if random.random() < 0.05]
    lines.sort(key=lambda one: one[0])
    file.write_text("".join(json.dumps(line | {"publish_time": at.isoformat()}) + "\n" for at, line in lines))
    return file
