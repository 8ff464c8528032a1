"""The content of a document, as facts with names: two documents that say the same have equal facts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.contracts.outbound.subscription_change import payment_of, public_facts
from shared.domain import profiles
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.processing.settle import NOTHING_ANNOUNCED
from shared.record.user_record import Announced, UserRecord

Facts = Mapping[str, Any]
"""Facts by their paths, such as `subscriptions.main.status`."""


def facts(record: UserRecord, at: datetime, terms: Terms) -> Facts:
    """The facts of a document at an instant (UTC), without what a rebuild cannot know (see `NOT_COMPARED`)."""
    return dict(_facts(record, at, terms))


NOT_COMPARED = (
    "as_of, the time of the last commit, if that told nobody anything",
    "catalog_number, which is that of the catalog by which the rebuild says what is due",
    "pending, the messages that explain the newest decisions",
    "answers to requests for which no campaign was considered",
    "scores that are up in the rebuilt document alone: which one fell again, no message tells",
    "moments that are decided in the rebuilt document alone: all of them, where the log has a gap",
    "whether a withheld offer is revoked, which no message tells",
)
"""Facts that a rebuild cannot know. They are restored so that nothing is offered again, and are not compared."""


def _facts(record: UserRecord, at: datetime, terms: Terms) -> Iterator[tuple[str, Any]]:
    account, _ = record.history.at(at, terms)
    for sub in account.subscriptions:
        for name, value in (public_facts(sub) | payment_of(sub)).items():
            yield f"subscriptions.{sub.id}.{name}", value
    for sub in record.history.head.subscriptions:
        yield from ((f"ledger.{sub.id}.{name}", value) for name, value in sub._asdict().items())
    yield "trial_used", account.trial_used
    yield from ((f"profile.{name}", value) for name, value in profiles.profile(record.profile)._asdict().items())
    yield from ((f"attributes.{name}", value) for name, value in record.attributes.values.items())
    yield "signals", sorted((one.occurred_at, one.kind, one.strength) for one in record.signals)
    for trigger in record.triggers:
        yield f"triggers.{trigger.trigger_id}", _trigger(trigger)
    for row in record.tallies.rows:
        for count in row.counts:
            yield f"caps.{row.scope}.{row.name}.{count.event}", (count.number, count.last_at)
    for one in record.announced:
        yield from _announced(one)
    for each in record.assignments:
        unit = f"/{each.unit}" if each.unit else ""
        yield f"assignments.{each.experiment_id}{unit}", (each.variant, each.bucket_version, each.at)
    for deferred in record.deferred:
        yield f"deferred.{deferred.campaign_id}.{deferred.moment.cause}", deferred.until
    yield "erased_at", record.erased_at
    yield "next_due_at", record.next_due_at
    yield "sequence", record.sequence


def _announced(announced: Announced) -> Iterator[tuple[str, Any]]:
    """The announced facts of a subscription, beside those of one about which nothing was announced."""
    for name, value in announced.facts.items():
        if NOTHING_ANNOUNCED.get(name) != value:
            yield f"announced.{announced.subscription_id}.{name}", value


def _trigger(trigger: Trigger) -> Mapping[str, Any]:
    """A trigger without the identities of the events that reported on it, which are forgotten in time."""
    told = trigger._asdict() | {
        "feedback": tuple((report.kind, report.at) for report in trigger.feedback),
        "impressions": tuple(report.at for report in trigger.impressions),
    }
    if trigger.withheld:
        del told["revoked"], told["revoke_reason"]
    return told
