"""Rows of some users: snapshots as decisions knew them, each with what happened afterwards.

None of the analysts' packages is needed for it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from infra.analytics.training.outcomes import PAYMENT, Collector, Outcome
from infra.analytics.training.replayed import Snapshot, Wanted, snapshots
from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.outbound.upsell_trigger import TriggerKind
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.events import Event, FeedbackGiven, PaymentOutcome, PaymentReported, cause_of
from shared.domain.terms import Terms
from shared.queries.past_log import Logged

TOLD = (Topic.UPSELL_TRIGGER, Topic.SUBSCRIPTION_CHANGE, Topic.DECISION)
"""The outgoing topics that tell what was decided and what happened."""
TOPICS = (*EVENTS, *TOLD)
"""The topics of a raw log that rows are made of."""


class When(NamedTuple):
    """The instants at which users are looked at."""

    every: timedelta = timedelta(days=30)
    """The time between two fixed instants, at midnight (UTC)."""
    moments: tuple[str, ...] = ()
    """In place of fixed instants: the decisions about moments of these kinds."""
    only_entitled: bool = False
    """True if only users with access at the instant are looked at."""


class Span(NamedTuple):
    """The publish times (UTC) of the first and the last message of the whole log, whoever they are about."""

    first: datetime
    last: datetime


class LabelledRow(NamedTuple):
    """A snapshot, and whether the outcome came after it."""

    snapshot: Snapshot
    label: bool

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Sort key: by instant, user and cause. Of several offers of one decision, the first stays first."""
        one = self.snapshot
        return one.at, one.user_id, one.cause or ""


class UserRows(NamedTuple):
    """The rows of some users."""

    rows: list[LabelledRow]
    """In their order."""
    early: int
    """Rows that were left out, because the time of their outcome is not over."""
    checked: int
    """Facts that the log's own decisions told, and that were computed again."""
    different: int
    """Those of them that came out differently: another catalog, or a log that lacks messages."""


class _Offer(NamedTuple):
    trigger_id: str
    user_id: str
    cause: str
    moment: str
    decided_at: datetime


def rows_of(
    messages: Sequence[Logged], span: Span, outcome: Outcome, when: When, catalog: Catalog, terms: Terms
) -> UserRows:
    """The rows of the users whom these messages are about: all of each user's, in the order of publication."""
    bodies = [(message, body) for message in messages if message.topic in TOLD and (body := _body(message))]
    decisions = {
        (body["user_id"], body["cause"]): body for message, body in bodies if message.topic == Topic.DECISION
    }
    offers = [_offer(body) for message, body in bodies if _is_issued(message, body)]
    happened = Collector()
    for message, body in bodies:
        if message.topic == Topic.SUBSCRIPTION_CHANGE:
            for moment in body.get("moments", ()):
                happened.add(body["user_id"], moment["kind"], _instant(moment["at"]))
    wanted = _wanted(outcome, when, span, decisions, offers)
    taken = snapshots(messages, catalog, terms, wanted, lambda event: _note(happened, event))
    checked, different = _check(taken, decisions)
    told = happened.happened(span.last)
    by_decision: dict[tuple[str, str], list[str]] = {}
    for offer in offers:
        by_decision.setdefault((offer.user_id, offer.cause), []).append(offer.trigger_id)
    rows, early = [], 0
    for one in taken:
        about = by_decision.get((one.user_id, one.cause or ""), []) if outcome.of_offer else [one.user_id]
        for of in about:
            label = told.label(outcome, of, one.at)
            early += label is None
            rows += [] if label is None else [LabelledRow(one, label)]
    return UserRows(sorted(rows, key=attrgetter("order")), early, checked, different)


def _wanted(
    outcome: Outcome,
    when: When,
    span: Span,
    decisions: Mapping[tuple[str, str], Mapping[str, Any]],
    offers: Sequence[_Offer],
) -> Wanted:
    chosen = frozenset(when.moments)
    if outcome.of_offer:
        at = {(one.user_id, one.cause): one.decided_at for one in offers if not chosen or one.moment in chosen}
        return Wanted(decisions=at, only_entitled=when.only_entitled)
    if chosen:
        at = {key: _instant(body["decided_at"]) for key, body in decisions.items() if chosen & {*body["moments"]}}
        return Wanted(decisions=at, only_entitled=when.only_entitled)
    first, last = span.first, span.last - outcome.within
    instants, at_midnight = [], first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    while at_midnight <= last:
        instants.append(at_midnight)
        at_midnight += when.every
    return Wanted(tuple(instants), only_entitled=when.only_entitled)


def _note(happened: Collector, event: Event) -> None:
    match event.fact:
        case PaymentReported(outcome=PaymentOutcome.SUCCEEDED):
            happened.add(event.user_id, PAYMENT, event.occurred_at)
        case FeedbackGiven(trigger_id=trigger_id, kind=kind):
            happened.add(trigger_id, kind, event.occurred_at)


def _check(taken: Sequence[Snapshot], decisions: Mapping[tuple[str, str], Mapping[str, Any]]) -> tuple[int, int]:
    """The number of facts that the log's decisions tell of these snapshots, and of those different here."""
    checked = different = 0
    for one in taken:
        context = decisions[one.user_id, one.cause].get("context", {}) if one.cause else {}
        for name in context.keys() & one.facts.keys():
            fact = one.facts[name]
            checked += 1
            different += context[name] != ([*fact] if isinstance(fact, tuple) else fact)
    return checked, different


def _is_issued(message: Logged, body: Mapping[str, Any]) -> bool:
    return message.topic == Topic.UPSELL_TRIGGER and body["kind"] == TriggerKind.ISSUED


def _offer(body: Mapping[str, Any]) -> _Offer:
    event = body["event"]
    cause = cause_of(event["topic"], event["source"], event["event_id"])
    return _Offer(body["trigger_id"], body["user_id"], cause, body["moment"], _instant(body["decided_at"]))


def _body(message: Logged) -> dict[str, Any] | None:
    """The body of a message of ours; None for data that is something else."""
    try:
        body = orjson.loads(message.delivery.data)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) and {"user_id", "decided_at", "event"} <= body.keys() else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
