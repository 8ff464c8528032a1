"""The smoke test: one trial start through a running Upbeat, and the messages that it must cause."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from google.cloud.firestore import Client

from infra.catalog.load import load_catalog
from infra.deploy.smoke_inbox import Inbox
from infra.remote.firestore import catalog_in_force, remove_users, users_with_prefix
from infra.remote.pubsub import Bus
from shared.contracts.topics import Topic

USER_PREFIX = "upbeat-smoke-"
"""Reserved for smoke tests: consumers and reports may ignore every user whose id starts with it."""
FILTERS = {
    Topic.SUBSCRIPTION_CHANGE.value: 'attributes.status_before = "none" AND attributes.status_after = "trialing"',
    Topic.UPSELL_TRIGGER.value: 'attributes.kind = "issued" AND attributes.moment = "trial.started"',
}
"""The messages that a trial start causes, by topic: under the default catalog, students are offered a plan."""
ATTEMPT_SECONDS = 20.0
"""The wait for the trigger in seconds, before another user is tried.

A function uses a new catalog up to a minute late, so the first user may still meet the catalog before it.
"""
TRIAL = timedelta(days=14)
LEFT_BEHIND = timedelta(days=1)
"""The age at which a smoke test's document counts as left behind by a run that was killed."""


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """The outcome of a smoke test."""

    user_id: str
    """The last user that was tried."""
    catalog_version: str | None
    """The catalog in force; None if there is none."""
    arrived: Mapping[str, float] = field(default_factory=dict)
    """Seconds from the trial start to each message that arrived, by topic."""
    missing: tuple[str, ...] = ()
    """Topics whose message was expected and did not arrive."""


def smoke(bus: Bus, client: Client, *, seconds: float) -> SmokeResult:
    """Publish a trial start and wait up to `seconds` for its messages, then remove what the test made.

    Raises `InfraError` if Pub/Sub or Firestore fails.
    """
    deadline = time.monotonic() + seconds
    remove_users(client, users_with_prefix(client, USER_PREFIX, unchanged_since=datetime.now(UTC) - LEFT_BEHIND))
    version = catalog_in_force(client)
    with _inboxes(bus, _expected_topics(version)) as inboxes:
        while True:
            with _user(client) as user:
                arrived = _attempt(bus, inboxes, user, deadline)
            missing = tuple(topic for topic in inboxes if topic not in arrived)
            if not missing or time.monotonic() >= deadline:
                return SmokeResult(user, version, arrived, missing)


def _expected_topics(version: str | None) -> tuple[str, ...]:
    """The topics of the messages that must come. Only the default catalog is sure to make an offer."""
    change, trigger = FILTERS
    return (change, trigger) if version == load_catalog().version else (change,)


@contextmanager
def _inboxes(bus: Bus, topics: tuple[str, ...]) -> Iterator[dict[str, Inbox]]:
    """An inbox for each topic, all removed at the end."""
    run = uuid4().hex[:12]
    with ExitStack() as stack:
        yield {
            topic: stack.enter_context(Inbox(bus, topic, f"{USER_PREFIX}{run}-{topic}", FILTERS[topic]))
            for topic in topics
        }


@contextmanager
def _user(client: Client) -> Iterator[str]:
    """A user that nobody has used, whose document is removed at the end."""
    user = USER_PREFIX + uuid4().hex
    try:
        yield user
    finally:
        remove_users(client, [user])


def _attempt(bus: Bus, inboxes: Mapping[str, Inbox], user: str, deadline: float) -> dict[str, float]:
    """Publish a user's trial start. Returns the seconds to each message that arrived."""
    bus.publish(Topic.TRIAL_START, json.dumps(_trial_start(user)).encode())
    published = time.monotonic()
    arrived: dict[str, float] = {}
    until = deadline
    for topic, inbox in inboxes.items():
        if not inbox.wait_for(user, until):
            break
        arrived[topic] = round(time.monotonic() - published, 3)
        until = min(deadline, time.monotonic() + ATTEMPT_SECONDS)
    return arrived


def _trial_start(user: str) -> dict[str, object]:
    """The trial start of a student, to whom the default catalog makes an offer at once."""
    now = datetime.now(UTC)
    return {
        "event_id": user,
        "user_id": user,
        "occurred_at": now.isoformat(),
        "source": "upbeat-smoke",
        "plan": "upbeat-smoke",
        "trial_ends_at": (now + TRIAL).isoformat(),
        "profile": {"student": True},
    }
