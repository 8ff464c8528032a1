"""Lets sample events and stories happen to a user of a running Upbeat."""

import json
from collections.abc import Callable
from typing import NamedTuple

from google.cloud.firestore import Client

from infra.errors import InfraError, UsageError
from infra.remote.clock import RunningClock
from infra.remote.passing_time import applied, pass_time
from infra.remote.pubsub import Bus
from infra.samples.samples import Sample, Step, Story, sample
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.errors import Rejected
from shared.record.user_record import UserRecord

Records = Callable[[str], UserRecord | None]
"""Finds a user's document."""


class Stage(NamedTuple):
    """The stage of stories: running emulators, whose clock can be moved."""

    clock: RunningClock
    firestore: Client
    bus: Bus
    records: Records


def of_history(field: str, record: UserRecord | None) -> str | None:
    """The id of a user's newest offer or payment, which `Sample.asks` names; None if there is none."""
    if record is None:
        return None
    if field == "trigger_id":
        newest = max(record.triggers, key=lambda each: each.decided_at, default=None)
        return newest and newest.trigger_id
    paid = record.history.head.best.current
    return paid and paid.payment_id


def completed(made: Sample, records: Records) -> Sample:
    """A sample with what only the user's history can give.

    Raises `InfraError` if the history lacks it, `UsageError` if a function would not accept the event.
    """
    field, user = made.asks, made.data["user_id"]
    if field:
        made.data[field] = of_history(field, records(user))
        if not made.data[field]:
            what = "an offer" if field == "trigger_id" else "a payment with an id"
            raise InfraError(f"expected {what} of user {user!r}, found none; name one with --set {field}=ID")
    try:
        parse_event(made.topic, Delivery(data_of(made), {}))
    except Rejected as rejected:
        raise UsageError(f"{made.topic}: {rejected.detail}") from rejected
    return made


def data_of(made: Sample) -> bytes:
    """The bytes to publish."""
    return json.dumps(made.data).encode()


def let_happen(story: Story, user: str, stage: Stage, told: Callable[[Step, Sample | None], object]) -> None:
    """Let a story happen to a user, and tell each step when it has happened. Raises `InfraError`."""
    for step in story.steps:
        if step.after:
            pass_time(stage.clock, stage.firestore, stage.bus, stage.clock.now() + step.after)
        made = None
        if step.kind:
            made = completed(sample(step.kind, user, stage.clock.now(), dict(step.fields)), stage.records)
            with applied(stage.firestore, user):
                stage.bus.publish(made.topic, data_of(made))
        told(step, made)
