"""The peer: what an engineer writes by hand in an afternoon to do the same, as Google's documentation shows it.

A transaction reads whether the event was seen, folds it into the user's document, and writes both together with an
outbox document. The messages are then published, and the outbox document is deleted. It deduplicates and loses no
message. It does not try the rest of what Upbeat promises: late events, stale offers, experiments, reasons.
"""

import base64
import json
import os
from datetime import datetime

import functions_framework
from google.cloud import firestore, pubsub_v1

PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]
PAYMENTS_BEFORE_OFFER = 3

database = firestore.Client(project=PROJECT)
publisher = pubsub_v1.PublisherClient()


@functions_framework.cloud_event
def payment(cloud_event):
    """Fold one payment into its user, and publish what follows."""
    event = json.loads(base64.b64decode(cloud_event.data["message"]["data"]))
    outbox = database.collection("outbox").document(event["event_id"])
    messages = apply(database.transaction(), outbox, event)
    futures = [
        publisher.publish(
            publisher.topic_path(PROJECT, message["topic"]),
            json.dumps(message["body"]).encode(),
            user_id=event["user_id"],
        )
        for message in messages
    ]
    for future in futures:
        future.result()
    if messages:
        outbox.delete()


@firestore.transactional
def apply(transaction, outbox, event):
    """The messages to publish, stored in the same transaction as the user's new state and the event's id."""
    seen = database.collection("events").document(event["event_id"])
    user = database.collection("users").document(event["user_id"])
    if seen.get(transaction=transaction).exists:
        pending = outbox.get(transaction=transaction)
        return pending.get("messages") if pending.exists else []
    before = user.get(transaction=transaction).to_dict()
    after, messages = fold(before or {"status": "none", "payments": 0, "last_event_at": ""}, event)
    transaction.set(user, after)
    transaction.create(seen, {"at": firestore.SERVER_TIMESTAMP})
    if messages:
        transaction.set(outbox, {"messages": messages})
    return messages


def fold(before, event):
    """The user after a payment, and the messages about it. A payment older than the last one changes nothing."""
    if event["occurred_at"] <= before["last_event_at"]:
        return before, []
    paid = event["outcome"] == "succeeded"
    after = {
        **before,
        "status": "active" if paid else "grace",
        "plan": event["plan"],
        "period_end": datetime.fromisoformat(event["period_end"]),
        "payments": before["payments"] + paid,
        "last_event_at": event["occurred_at"],
    }
    about = {"user_id": event["user_id"], "event_id": event["event_id"], "decided_at": event["occurred_at"]}
    change = {
        **about,
        "before": {"status": before["status"], "plan": before.get("plan")},
        "after": {"status": after["status"], "plan": after["plan"], "period_end": event["period_end"]},
    }
    messages = [{"topic": "subscription-change", "body": change}]
    if paid and after["payments"] == PAYMENTS_BEFORE_OFFER:
        offer = {
            **about,
            "trigger_id": f"{event['event_id']}.family",
            "campaign": "family_upgrade",
            "offer": "family_plan",
        }
        messages.append({"topic": "upsell-trigger", "body": offer})
    return after, messages
