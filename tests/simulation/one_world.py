"""A simulation of holdouts below a capped campaign: at every occasion, the held-out share is that of the holdout.

`python -m tests.simulation.one_world --users 20000` runs it at full size; tests/simulation/test_one_world.py runs
a small one. Each user renews every ten days. Three campaigns share one placement; the first is capped, so that the
second and the third win from its third occasion on. Were held-out users asked differently from others, the shares
would drift from one occasion to the next. They are counted as an analyst would: in the `decision` messages.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event, Key, PaymentOutcome, PaymentReported
from shared.domain.terms import Terms
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord

START = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD = timedelta(days=10)
OCCASIONS = 6
HOLDOUTS: dict[str, dict[str, Any]] = {
    "all": {"percent": 5.0},
    "of_second": {"percent": 10.0, "campaigns": ["second"]},
}
TERMS = Terms()


def catalog() -> Catalog:
    """Three campaigns on one placement, and two holdouts."""
    about: dict[str, Any] = {"offer": "o", "placement": "p", "moments": ["activated", "renewed"]}
    cap = {"max": 2, "window_days": 365}
    return compile_catalog(
        {
            "placements": {"p": {"channel": "in_app"}},
            "offers": {"o": {"cms_ref": "offers/o", "validity_hours": 24}},
            "campaigns": {
                "first": {**about, "priority": 90, "cap": cap},
                "second": {**about, "priority": 80, "cap": cap},
                "third": {**about, "priority": 70},
            },
            "holdouts": HOLDOUTS,
        }
    )


class Share(NamedTuple):
    """The users for whom one campaign won at one occasion, and those of them whom one holdout includes."""

    occasion: int
    campaign_id: str
    holdout: str
    users: int
    held_out: int

    @property
    def percent(self) -> float:
        """The held-out share in percent."""
        return 100 * self.held_out / self.users


def shares(users: int) -> list[Share]:
    """The share of each holdout among the users for whom a campaign won, at each occasion."""
    won, held_out = Counter[tuple[int, str]](), Counter[tuple[int, str, str]]()
    rules = Rules(catalog(), TERMS)
    for number in range(users):
        for occasion, winner in _won_by(f"user-{number}", rules):
            won[occasion, winner["campaign_id"]] += 1
            held_out.update((occasion, winner["campaign_id"], name) for name in winner.get("holdouts", ()))
    return [Share(*key, won[key[:2]], number) for key, number in sorted(held_out.items())]


def _won_by(user_id: str, rules: Rules) -> Iterator[tuple[int, Any]]:
    """The candidate that won at each occasion of one user, whether or not the user was given the offer."""
    record = UserRecord(user_id)
    for occasion in range(OCCASIONS):
        at = START + occasion * PERIOD
        paid = PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 999, "EUR", at, at + PERIOD)
        key = Key(at, "payment", "", f"{user_id}-{occasion}")
        done = process(record, Event(key, user_id, "main", paid, f"{occasion}"), at, rules)
        record = done.record
        candidates = (one for message in done.messages for one in message.body.get("candidates", ()))
        yield from (
            (occasion, one) for one in candidates if one["outcome"] == "issued" or one["reason"] == "holdout"
        )


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20_000)
    for share in shares(parser.parse_args().users):
        holdout = f"{share.holdout} of {HOLDOUTS[share.holdout]['percent']}%"
        told = f"{share.users:6} users, {share.percent:.2f}% in holdout {holdout}"
        sys.stdout.write(f"occasion {share.occasion} {share.campaign_id:<7} {told}\n")


if __name__ == "__main__":
    main()
