"""Builds small histories for tests, and replays them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from infra.catalog.load import DEFAULT_CATALOG
from infra.replay.replay import Summary, replay
from infra.replay.switch import Switch
from shared.domain.events import FeedbackKind

START = datetime(2026, 1, 1, tzinfo=UTC)
GARBAGE = [{"topic": "payment", "data": {"event_id": "x"}}, {"topic": "payment", "data_base64": "/w=="}]
"""Lines whose events can never be processed."""
OUTPUTS = ("subscriptions", "triggers", "changes", "decisions", "exposures", "dead-letter")


class Outcome(NamedTuple):
    """The summary and the output folder of a replay."""

    summary: Summary
    folder: Path

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of one output, parsed."""
        return [json.loads(line) for line in (self.folder / f"{name}.jsonl").read_bytes().splitlines()]

    def files(self) -> dict[str, bytes]:
        """The bytes of every output except the summary, which contains the speed."""
        return {name: (self.folder / f"{name}.jsonl").read_bytes() for name in OUTPUTS}


def at(days: float) -> str:
    return (START + timedelta(days=days)).isoformat()


def event(topic: str, user_id: str, days: float, event_id: str, **facts: Any) -> dict[str, Any]:
    common = {"event_id": event_id, "user_id": user_id, "occurred_at": at(days)}
    return {"topic": topic, "data": common | facts}


def trial(user_id: str = "u", days: float = 0, ends: float = 14, event_id: str = "trial") -> dict[str, Any]:
    return event("trial-start", user_id, days, event_id, plan="premium", trial_ends_at=at(ends))


def payment(
    user_id: str = "u", days: float = 14, outcome: str = "succeeded", event_id: str = "payment", **facts: Any
) -> dict[str, Any]:
    period = {"period_start": at(days), "period_end": at(days + 30)}
    given = {"outcome": outcome, "plan": "premium", "amount": 999, "currency": "EUR"}
    return event("payment", user_id, days, event_id, **(period | given | facts))


def signal(user_id: str, days: float, kind: str, event_id: str = "signal") -> dict[str, Any]:
    return event("churn-signal", user_id, days, event_id, signal=kind)


def erasure(user_id: str = "u", days: float = 20, published: float | None = None) -> dict[str, Any]:
    line = event("user-erasure", user_id, days, f"erasure-{days}")
    return line if published is None else line | {"publish_time": at(published)}


def write(path: Path, lines: list[Any]) -> Path:
    """Write a history. A line is either a JSON value or raw bytes."""
    raw = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path.write_bytes(b"".join(each + b"\n" for each in raw))
    return path


def run(folder: Path, *lines: Any, catalog: Path | Switch = DEFAULT_CATALOG, **options: Any) -> Outcome:
    """Replay these lines with the default catalog, or with others, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "out"
    return Outcome(replay(write(folder / "events.jsonl", list(lines)), out, catalog, **options), out)


def feedback(triggers: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Consumers' feedback on the issued ones of these triggers; the kinds of feedback take turns."""
    issued = [body for body in triggers if body["kind"] == "issued"]
    for number, (body, kind) in enumerate(zip(issued, cycle(FeedbackKind), strict=False)):
        told = {"trigger_id": body["trigger_id"], "user_id": body["user_id"], "kind": kind}
        data = {**told, "event_id": f"f{number}", "occurred_at": body["decided_at"]}
        yield {"topic": "trigger-feedback", "data": data, "publish_time": body["decided_at"]}
