"""A user's document as read at one instant: a summary for reports, and everything for people."""

from datetime import datetime
from typing import Any

import orjson

from shared.contracts.outbound.subscription_change import public_facts
from shared.contracts.topics import Topic
from shared.domain import profiles
from shared.domain.account import Account
from shared.domain.events import NO_PURCHASE, Purchase
from shared.domain.grants import Grant
from shared.domain.moments import Moment
from shared.domain.offsets import offset_text
from shared.domain.ring import SUBSCRIPTION_ID, Row, fact_of, key_of
from shared.domain.subscription import PlanChange, ScheduledPause, Subscription
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger, trigger_state
from shared.record.user_record import UserRecord

View = dict[str, Any]
"""JSON, except that instants are datetimes in UTC; see `to_json`."""


def summary(record: UserRecord, now: datetime, terms: Terms) -> View:
    """The user at `now`: the best subscription, and all of them if there are several."""
    account, _ = record.history.at(now, terms)
    return summary_of(record.user_id, account)


def summary_of(user_id: str, account: Account) -> View:
    """The user with an account: the best subscription, and all of them if there are several."""
    view = {"user_id": user_id, **_facts(account.best), "trial_used": account.trial_used}
    if len(account.subscriptions) > 1:
        view["subscriptions"] = [_facts(subscription) for subscription in account.subscriptions]
    return view


def everything(record: UserRecord, now: datetime, terms: Terms) -> View:
    """The user at `now`, with everything that led there and everything that is due; lists are oldest first."""
    account, _ = record.history.at(now, terms)
    subscriptions = account.subscriptions
    entries = [(entry, message) for entry in record.pending for message in entry.messages]
    return {
        "now": now,
        **summary_of(record.user_id, account),
        "profile": {**profiles.profile(record.profile)._asdict(), "attributes": record.attributes.values},
        "scores_up": list(record.raised),
        "assignments": [assignment._asdict() for assignment in record.assignments],
        "deferred": [
            {**_moment(deferred.moment), "campaign_id": deferred.campaign_id, "until": deferred.until}
            for deferred in record.deferred
        ],
        "grants": [
            {"subscription_id": sub.id, **_grant(grant)} for sub in subscriptions for grant in sub.all_grants
        ],
        "waiting_verdicts": [
            {"subscription_id": sub.id, **verdict._asdict()} for sub in subscriptions for verdict in sub.waiting
        ],
        "signals": [signal._asdict() for signal in record.signals],
        "events": [event_view(row) for row in record.history.ring],
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
    """The public facts of a subscription, with what is scheduled in full, and the first and last payment."""
    facts = public_facts(subscription)
    del facts["scheduled_plan"]  # a part of scheduled_plan_change
    price_consent = facts.pop("price_consent")
    return {
        "subscription_id": subscription.id,
        **facts,
        "scheduled_pause": _scheduled(subscription.scheduled_pause),
        "scheduled_plan_change": _scheduled(subscription.plan_change),
        "price_consent": price_consent,
        "first_paid_at": subscription.first_paid_at,
        "last_paid_at": subscription.last_paid_at,
    }


def _scheduled(change: ScheduledPause | PlanChange | None) -> View | None:
    """A scheduled change, without the time at which it was asked for."""
    return {name: value for name, value in change._asdict().items() if name != "at"} if change else None


def _moment(moment: Moment) -> View:
    return {**moment._asdict(), "offset": moment.offset and offset_text(moment.offset)}


def event_view(row: Row) -> View:
    """An event of the ring: its identity and its fact, without what it did not say of the purchase."""
    fact = fact_of(row)._asdict()
    purchase: Purchase = fact.pop("purchase", NO_PURCHASE)
    given = {name: value for name, value in purchase._asdict().items() if value is not None}
    return {**key_of(row)._asdict(), "subscription_id": row[SUBSCRIPTION_ID], **fact, **given}


def _grant(grant: Grant) -> View:
    """A payment or trial in the ledger, with the verdicts on its money."""
    refund, dispute = grant.refund, grant.dispute
    verdicts = {"refund": refund and refund._asdict(), "dispute": dispute and dispute._asdict()}
    return {**grant._asdict(), **verdicts, "stands": grant.stands}


def _trigger(trigger: Trigger, now: datetime) -> View:
    feedback = [{"kind": report.kind, "at": report.at} for report in trigger.feedback]
    impressions = [report.at for report in trigger.impressions]
    state = trigger_state(trigger, now)
    return {**trigger._asdict(), "feedback": feedback, "impressions": impressions, "state": state}


def to_json(view: View) -> Any:
    """The view as plain JSON; instants become RFC 3339 text with Z."""
    return orjson.loads(orjson.dumps(view, option=orjson.OPT_UTC_Z))
