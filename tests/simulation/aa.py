"""An A/A simulation through `replay`: both arms are identical, so any difference between them is a defect.

`python -m tests.simulation.aa --users 100000` runs it at full size; tests/simulation/test_aa.py runs a small one.
Each user pays twice. The same history is replayed in order, shuffled with 30% duplicates, and with a catalog in
which everything except the experiment was edited.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import erfc, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from infra.replay.replay import replay

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
ARMS = {"a": 0.5, "b": 0.5}
HELD_OUT = 0.10
OFFER = {"cms_ref": "offers/same", "validity_hours": 24}
CAMPAIGN = {
    "offer": "same",
    "placement": "banner",
    "moments": ["activated", "renewed"],
    "priority": 50,
    "experiment": "aa",
}
TOO_UNLIKELY = 0.001
"""A sample-ratio mismatch with a p-value below this is a defect, not chance."""

Line = dict[str, Any]


def catalog() -> Line:
    """One campaign with an A/A experiment behind a holdout."""
    variants = [{"id": arm, "weight": share, "offer": "same"} for arm, share in ARMS.items()]
    return {
        "placements": {"banner": {"channel": "in_app"}},
        "offers": {"same": OFFER},
        "experiments": {"aa": {"variants": variants}},
        "holdouts": {"measured": {"percent": HELD_OUT * 100}},
        "campaigns": {"upgrade": CAMPAIGN},
    }


def edited() -> Line:
    """The same catalog with changes everywhere except in the experiment and its holdout."""
    before = catalog()
    variants = [{"id": "none", "weight": 0.3, "offer": None}, {"id": "some", "weight": 0.7, "offer": "other"}]
    news = CAMPAIGN | {"offer": "other", "placement": "inbox", "experiment": "other"}
    return before | {
        "placements": before["placements"] | {"inbox": {"channel": "email"}},
        "offers": before["offers"] | {"other": OFFER | {"validity_hours": 48}},
        "audiences": {"payers": {"all": [{"paid": "subscription.recent_payments > 0"}]}},
        "experiments": before["experiments"] | {"other": {"variants": variants}},
        "campaigns": {
            "news": news,
            "upgrade": CAMPAIGN | {"priority": 70, "audience": "payers", "cap": {"max": 9}},
        },
    }


def history(users: int) -> Iterator[Line]:
    """A payment of each user, and a second payment 30 days later."""
    for month in (0, 1):
        for number in range(users):
            starts = START + month * 30 * DAY + timedelta(seconds=number)
            yield {
                "topic": "payment",
                "data": {
                    "event_id": f"p-{month}-{number}",
                    "user_id": f"user-{number}",
                    "occurred_at": starts.isoformat(),
                    "outcome": "succeeded",
                    "plan": "monthly",
                    "amount": 999,
                    "currency": "EUR",
                    "period_start": starts.isoformat(),
                    "period_end": (starts + 30 * DAY).isoformat(),
                },
            }


def shuffled(lines: list[Line], seed: int = 7) -> list[Line]:
    """The lines in random order, with 30% of them delivered twice."""
    chance = random.Random(seed)  # noqa: S311 - a fixed seed gives the same order in every run
    mixed = lines + chance.sample(lines, len(lines) * 3 // 10)
    chance.shuffle(mixed)
    return mixed


@dataclass(frozen=True, slots=True)
class Outcome:
    """The arm of every user in one replay, and the held-out users."""

    arms: frozenset[tuple[str, str]]
    """Pairs of user and arm; a user who changed arms would occur twice."""
    held_out: frozenset[str]


def run(lines: list[Line], folder: Path, written: Line) -> Outcome:
    """Replay a history, and read the arms from the triggers and the held-out users from the exposures."""
    folder.mkdir()
    (folder / "events.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    (folder / "catalog.yaml").write_bytes(orjson.dumps(written))
    replay(folder / "events.jsonl", folder, folder / "catalog.yaml", START + 90 * DAY)
    issued = [body for body in _messages(folder / "triggers.jsonl") if body["kind"] == "issued"]
    arms = {(body["user_id"], body["variant"]) for body in issued if body["campaign_id"] == "upgrade"}
    exposures = (body for body in _messages(folder / "exposures.jsonl") if body["campaign_id"] == "upgrade")
    held_out = {body["user_id"] for body in exposures if body["reason"] == "holdout"}
    return Outcome(frozenset(arms), frozenset(held_out))


def _messages(path: Path) -> Iterator[Line]:
    with path.open("rb") as lines:
        yield from map(orjson.loads, lines)


def mismatch(count: int, of: int, share: float) -> float:
    """The p-value of a sample-ratio mismatch: a chi-square test with one degree of freedom."""
    expected, rest = of * share, of * (1 - share)
    statistic = (count - expected) ** 2 / expected + (of - count - rest) ** 2 / rest
    return erfc(sqrt(statistic / 2))


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a simulation."""

    users: int
    arms: Mapping[str, int]
    arms_p: float
    held_out: int
    held_out_p: float
    changed: Mapping[str, int]
    """Differences in arms and held-out users, by the change to the history or the catalog."""

    @property
    def passed(self) -> bool:
        """True if chance alone explains the split, and no user changed arms."""
        return min(self.arms_p, self.held_out_p) >= TOO_UNLIKELY and not any(self.changed.values())


def simulate(users: int, folder: Path) -> Result:
    """Run the simulation with this number of users."""
    lines = list(history(users))
    base = run(lines, folder / "base", catalog())
    others = {
        "shuffled, 30% twice": run(shuffled(lines), folder / "shuffled", catalog()),
        "catalog edited": run(lines, folder / "edited", edited()),
    }
    arms = Counter(arm for _, arm in base.arms)
    return Result(
        users=users,
        arms=dict(sorted(arms.items())),
        arms_p=mismatch(arms["a"], arms.total(), ARMS["a"]),
        held_out=len(base.held_out),
        held_out_p=mismatch(len(base.held_out), users, HELD_OUT),
        changed={
            name: len(base.arms ^ other.arms) + len(base.held_out ^ other.held_out)
            for name, other in others.items()
        },
    )


def main() -> int:
    """Run the simulation and print the result; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.aa", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        result = simulate(parser.parse_args().users, Path(folder))
    sys.stdout.write(
        f"{result}\n{'passed' if result.passed else 'FAILED'} in {time.perf_counter() - began:.0f} s\n"
    )
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
