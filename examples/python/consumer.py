"""Receives offers and access from Upbeat: `python examples/python/consumer.py --create`, then without it.

GOOGLE_CLOUD_PROJECT and PUBSUB_EMULATOR_HOST name the project and the emulator, as for every client of Google.
"""

import argparse
import json
import os
from datetime import UTC, datetime
from time import monotonic

from google.api_core.exceptions import AlreadyExists, DeadlineExceeded
from google.cloud.pubsub_v1 import SubscriberClient
from inbox import Inbox

TOPICS = ("upsell-trigger", "subscription-change")
PULL_SECONDS = 4
"""The time limit of one pull; the emulator answers an empty one a second before it."""


def create(client: SubscriberClient, project: str) -> None:
    """Create the subscriptions. In production, Terraform or the owner of the project does this once."""
    for topic in TOPICS:
        subscription = client.subscription_path(project, f"{topic}-example")
        try:
            client.create_subscription(name=subscription, topic=f"projects/{project}/topics/{topic}")
        except AlreadyExists:
            print(f"{subscription} exists")
        else:
            print(f"created {subscription}")


def receive(client: SubscriberClient, project: str, inbox: Inbox, idle_seconds: float) -> None:
    """Apply messages until none has come for so long. A message is acknowledged once it is stored.

    It asks again and again (a pull), because a stream that ended keeps messages of the emulator for a minute.
    """
    last = monotonic()
    while monotonic() - last < idle_seconds:
        for topic in TOPICS:
            subscription = client.subscription_path(project, f"{topic}-example")
            try:
                answer = client.pull(subscription=subscription, max_messages=100, timeout=PULL_SECONDS, retry=None)
            except DeadlineExceeded:
                continue
            for received in answer.received_messages:
                inbox.apply(topic, json.loads(received.message.data))
                client.acknowledge(subscription=subscription, ack_ids=[received.ack_id])
                last = monotonic()


def main() -> None:
    """Create the subscriptions, or receive and print what is known of each user, a JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--create", action="store_true", help="create the subscriptions and receive nothing")
    parser.add_argument("--store", default=":memory:", help="the SQLite file that remembers; default: in memory")
    parser.add_argument("--idle-seconds", type=float, default=8, help="stop when no message came for so long")
    given = parser.parse_args()
    project = os.environ["GOOGLE_CLOUD_PROJECT"]
    with SubscriberClient() as client:
        if given.create:
            create(client, project)
            return
        inbox = Inbox(given.store)
        receive(client, project, inbox, given.idle_seconds)
    for user in inbox.users():
        offers = inbox.offers(user, datetime.now(UTC))
        print(json.dumps({"user": user, "access": inbox.has_access(user), "offers": offers}))


if __name__ == "__main__":
    main()
