"""What a user's document says as of one instant, as JSON: in short for reports, and in full for people."""

from datetime import datetime
from typing import Any

import orjson

from shared.contracts.topics import Topic
from shared.domain import profiles
from shared.domain.ring import from_row
from shared.domain.subscription import Subscription
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger, trigger_state
from shared.record.user_record import UserRecord

View = dict[str, Any]
"""JSON, but for instants, which are datetimes in UTC."""


def summary(record: UserRecord, now: datetime, terms: Terms) -> View:
    """The user at `now`: the best subscription, and all of them where there are several."""
    account, _ = record.history.at(now, terms)
    view = {"user_id": record.user_id, **_facts(account.best), "trial_used": account.trial_used}
    if len(account.subscriptions) > 1:
        view["subscriptions"] = [_facts(subscription) for subscription in account.subscriptions]
    return view


def everything(record: UserRecord, now: datetime, terms: Terms) -> View:
    """The user at `now`, with all that led there and all that is to come, oldest first."""
    entries = [(entry, message) for entry in record.pending for message in entry.messages]
    return {
        "now": now,
        **summary(record, now, terms),
        "profile": profiles.profile(record.profile)._asdict(),
        "scores_up": list(record.raised),
        "assignments": [assignment._asdict() for assignment in record.assignments],
        "deferred": [
            {**deferred.moment._asdict(), "campaign_id": deferred.campaign_id, "until": deferred.until}
            for deferred in record.deferred
        ],
        "signals": [signal._asdict() for signal in record.signals],
        "events": [_event(row, record.user_id) for row in record.history.ring],
        "triggers": [_trigger(trigger, now) for trigger in record.triggers],
        "decisions": [message.body for _, message in entries if message.topic == Topic.DECISION],
        "pending": [
            {"committed_at": entry.committed_at, "topic": message.topic, "message_id": message.message_id}
            for entry, message in entries
        ],
        "fired": [{"at": at, "cause": cause} for at, cause in record.fired.causes],
        "next_due_at": record.next_due_at,
    }


def _facts(subscription: Subscription) -> View:
    """A subscription's status and the facts beside it."""
    return {
        "subscription_id": subscription.id,
        "status": subscription.shown_status,
        "entitled": subscription.entitled,
        "plan": subscription.plan,
        "period_start": subscription.period_start,
        "period_end": subscription.period_end,
        "trial_ends_at": subscription.trial_ends_at,
        "auto_renew": subscription.auto_renew,
        "auto_renew_reason": subscription.auto_renew_reason,
        "grace_until": subscription.grace_until,
        "resume_at": subscription.resume_at,
        "cancel_at": subscription.cancel_at,
        "scheduled_pause": subscription.pause._asdict() if subscription.pause else None,
        "scheduled_plan_change": subscription.plan_change._asdict() if subscription.plan_change else None,
        "price_consent": subscription.price_consent,
        "first_paid_at": subscription.first_paid_at,
        "last_paid_at": subscription.last_paid_at,
    }


def _event(row: tuple[Any, ...], user_id: str) -> View:
    event = from_row(row, user_id)
    return {
        "occurred_at": event.occurred_at,
        "topic": event.key.topic,
        "source": event.key.source,
        "event_id": event.key.event_id,
        "subscription_id": event.subscription_id,
        **event.fact._asdict(),
    }


def _trigger(trigger: Trigger, now: datetime) -> View:
    feedback = [{"kind": report.kind, "at": report.at} for report in trigger.feedback]
    return {**trigger._asdict(), "feedback": feedback, "state": trigger_state(trigger, now)}


def to_json(view: View) -> Any:
    """The view as plain JSON; instants become RFC 3339 with Z."""
    return orjson.loads(orjson.dumps(view, option=orjson.OPT_UTC_Z))
