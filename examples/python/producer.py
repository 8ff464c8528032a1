"""Tells Upbeat what happened to a user: `python examples/python/producer.py USER trial` (or `failed-payment`).

GOOGLE_CLOUD_PROJECT and PUBSUB_EMULATOR_HOST name the project and the emulator, as for every client of Google.
"""

import argparse
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud.pubsub_v1 import PublisherClient


def trial(user_id: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """The topic and the event of a trial that began two weeks ago, and ends now."""
    began = now - timedelta(days=14)
    event = {"event_id": f"trial-{user_id}", "occurred_at": began.isoformat(), "trial_ends_at": now.isoformat()}
    return "trial-start", event | {"plan": "premium_monthly"}


def failed_payment(user_id: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """The topic and the event of the first payment, which failed now."""
    event = {"event_id": f"invoice-{user_id}-1", "occurred_at": now.isoformat(), "outcome": "failed"}
    return "payment", event | {"plan": "premium_monthly", "amount": 1099, "currency": "EUR"}


KINDS = {"trial": trial, "failed-payment": failed_payment}


def main() -> None:
    """Publish an event twice, as a producer does that got no answer: the second time changes nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("user", help="the id of the user, the same on every topic")
    parser.add_argument("kind", choices=KINDS, help="what happened")
    given = parser.parse_args()
    topic, event = KINDS[given.kind](given.user, datetime.now(UTC))
    data = json.dumps(event | {"user_id": given.user, "source": "example-billing"}).encode()
    client = PublisherClient()
    for _ in range(2):
        published = client.publish(client.topic_path(os.environ["GOOGLE_CLOUD_PROJECT"], topic), data)
        print(f"{topic}: {event['event_id']} is message {published.result(timeout=30)}")


if __name__ == "__main__":
    main()
