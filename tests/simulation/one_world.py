"""A simulation of holdouts below a capped campaign: at every occasion, the held-out share is that of the holdout.

`python -m tests.simulation.one_world --users 20000` runs it at full size; tests/simulation/test_one_world.py runs
a small one. Each user renews every ten days. Three campaigns share one placement; the first is capped, so that the
second and the third win from its third occasion on. Were held-out users asked differently from others, the shares
would drift from one occasion to the next.
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
OF_ALL, OF_SECOND = 5.0, 10.0
"""The percentages of users that the holdout of all campaigns and the holdout of the second one keep out."""
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
            "holdouts": {
                "all": {"percent": OF_ALL},
                "of_second": {"percent": OF_SECOND, "campaigns": ["second"]},
            },
        }
    )


class Share(NamedTuple):
    """The users of one campaign at one occasion, and those of them who are held out."""

    occasion: int
    campaign_id: str
    users: int
    held_out: int

    @property
    def percent(self) -> float:
        """The held-out share in percent."""
        return 100 * self.held_out / self.users


def shares(users: int) -> list[Share]:
    """The held-out share of each campaign's winners at each occasion."""
    won, held_out = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    rules = Rules(catalog(), TERMS)
    for number in range(users):
        for occasion, campaign_id, withheld in _won_by(f"user-{number}", rules):
            won[occasion, campaign_id] += 1
            held_out[occasion, campaign_id] += withheld == "holdout"
    return [Share(*key, won[key], held_out[key]) for key in sorted(won)]


def _won_by(user_id: str, rules: Rules) -> Iterator[tuple[int, str, str]]:
    """The winner of each occasion of one user, and why it was withheld."""
    record = UserRecord(user_id)
    for occasion in range(OCCASIONS):
        at = START + occasion * PERIOD
        paid = PaymentReported(PaymentOutcome.SUCCEEDED, "basic", 999, "EUR", at, at + PERIOD)
        key = Key(at, "payment", "", f"{user_id}-{occasion}")
        record = process(record, Event(key, user_id, "main", paid, f"{occasion}"), at, rules).record
        yield occasion, record.triggers[-1].campaign_id, record.triggers[-1].withheld


def expected(campaign_id: str) -> float:
    """The share in percent that is held out of a campaign: by either holdout, as their hashes are independent."""
    return OF_ALL + OF_SECOND - OF_ALL * OF_SECOND / 100 if campaign_id == "second" else OF_ALL


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=20_000)
    for share in shares(parser.parse_args().users):
        told = f"{share.users:6} users, held out {share.percent:6.2f}% of {expected(share.campaign_id):.2f}%"
        sys.stdout.write(f"occasion {share.occasion} {share.campaign_id:<7} {told}\n")


if __name__ == "__main__":
    main()
