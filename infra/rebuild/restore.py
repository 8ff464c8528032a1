"""Restores what messages tell of one processing, with the bounds and the counting of production."""

from datetime import timedelta

from infra.rebuild.notes import Notes
from infra.rebuild.told import Body, Change, Told, Won
from shared.contracts.outbound.base import rfc3339
from shared.contracts.outbound.subscription_change import AllFacts, Facts, SubscriptionFacts
from shared.decisioning.catalog import Catalog
from shared.domain.assignments import Assignment, assign
from shared.domain.impressions import Shown, keep_newest
from shared.domain.instants import later
from shared.domain.moments import Deferred, Moment
from shared.domain.requests import OFFER_REQUEST, AnsweredRequest, remember, request_digest
from shared.domain.tallies import evict
from shared.domain.triggers import Feedback, Trigger, forget_feedback_events
from shared.processing.answer import newest_open
from shared.processing.rules import Rules
from shared.processing.settle import NOTHING_ANNOUNCED
from shared.queries.past_triggers import trigger_of
from shared.record.user_record import MAX_DEFERRED, MAX_TRIGGERS, Announced, Fired, UserRecord

UNKNOWN_VALIDITY = timedelta(days=30)
"""The time for which an offer counts as open where neither a message nor the catalog says how long it is."""
MINUTE = "%Y-%m-%d %H:%M"
PAYMENT_FACTS = AllFacts.model_fields.keys() - SubscriptionFacts.model_fields.keys()
"""Facts that a change tells beside those that a document keeps as announced."""


def restored(record: UserRecord, told: Told, rules: Rules, notes: Notes) -> UserRecord:
    """The record after one more processing. Its event, if the log has it, is in the record already."""
    catalog = rules.catalog
    record = _with_revocations(record, told, notes)
    record = _with_reports(record, told, notes)
    record = _with_triggers(record, told, rules, notes)
    record = _with_changes(record, told, notes)
    record = record._replace(
        fired=_fired(record.fired, told),
        deferred=_deferred(record, told),
        assignments=_assignments(record, told, catalog, notes),
        sequence=max(record.sequence, told.sequence),
    )
    notes.kinds.update(moment.kind for moment in told.moments)
    notes.counts["decided_moments"] += len(told.decided)
    notes.counts["deferred"] += len(told.deferred)
    return _with_answer(record, told, notes)


def _with_revocations(record: UserRecord, told: Told, notes: Notes) -> UserRecord:
    if not told.revoked:
        return record
    notes.counts["revocations"] += len(told.revoked)
    triggers = (
        one.revoke(told.revoked[one.trigger_id]) if one.trigger_id in told.revoked else one
        for one in record.triggers
    )
    return record._replace(triggers=tuple(triggers))


def _with_reports(record: UserRecord, told: Told, notes: Notes) -> UserRecord:
    """The record with the feedback that exposures tell. Where the log has its event, it is there already."""
    for trigger_id, kind, at in told.reports:
        trigger = record.trigger(trigger_id)
        if trigger is None:
            continue
        if any(one.kind is kind and one.at == at for one in trigger.reports):
            continue
        changed = trigger.plus(Feedback(kind, at))
        if changed is not trigger:
            notes.counts["feedback_without_event"] += 1
            reported = tuple(changed if one is trigger else one for one in record.triggers)
            shown = keep_newest(Shown(record.triggers, record.tallies), reported, told.cause)
            record = record._replace(triggers=shown.triggers, tallies=shown.tallies)
    return record


def _with_triggers(record: UserRecord, told: Told, rules: Rules, notes: Notes) -> UserRecord:
    """The record with the triggers that were made. The oldest of too many become tallies."""
    new = []
    for trigger in _won(told, rules.catalog, notes):
        if trigger.trigger_id in notes.made:
            record = record._replace(triggers=_made_again(record.triggers, trigger))
        else:
            notes.made.add(trigger.trigger_id)
            notes.counts["withheld" if trigger.withheld else "triggers"] += 1
            new.append(trigger)
    if not new:
        return record
    kept, tallies, _ = evict((*record.triggers, *new), record.tallies, MAX_TRIGGERS, told.at)
    notes.counts["triggers_tallied"] += len(record.triggers) + len(new) - len(kept)
    triggers = forget_feedback_events(kept, before=told.at - rules.terms.redelivery)
    return record._replace(triggers=triggers, tallies=tallies)


def _won(told: Told, catalog: Catalog, notes: Notes) -> list[Trigger]:
    """The triggers that were made, in the order of the decision."""
    place = {candidate["trigger_id"]: number for number, candidate in enumerate(told.winners)}
    by_id = {one.trigger.trigger_id: one for one in told.won}
    for candidate in told.winners:
        if candidate["trigger_id"] not in by_id:
            notes.lacks(f"the message about an offer that was decided at {told.at:{MINUTE}} UTC")
            by_id[candidate["trigger_id"]] = _of_candidate(told, candidate, catalog)
    won = sorted(by_id.values(), key=lambda one: place.get(one.trigger.trigger_id, len(place)))
    return [one.trigger if one.is_whole else _completed(one.trigger, catalog) for one in won]


def _of_candidate(told: Told, candidate: Body, catalog: Catalog) -> Won:
    """The trigger that a decision alone tells of."""
    placement = catalog.document.placements.get(candidate["placement"])
    topic, source, event_id = told.event
    body = {
        **candidate,
        "offer_id": candidate["offer_id"] or "",
        "channel": placement.channel if placement else "",
        "decided_at": rfc3339(told.at),
        "expires_at": rfc3339(told.at),
        "catalog_version": told.catalog_version,
        "event": {"topic": topic, "source": source, "event_id": event_id},
        "withheld": candidate["reason"] or "",
    }
    return Won(trigger_of(body), is_whole=False)


def _completed(trigger: Trigger, catalog: Catalog) -> Trigger:
    """A trigger of which no message tells how long it is open, by the catalog of today."""
    campaign = catalog.campaigns.get(trigger.campaign_id)
    offer_id = trigger.offer_id or (campaign.terms.offer if campaign else "")
    offer = catalog.document.offers.get(offer_id)
    hours = (campaign and campaign.terms.expires_after_hours) or (offer and offer.validity_hours)
    validity = timedelta(hours=hours) if hours else UNKNOWN_VALIDITY
    return trigger._replace(offer_id=offer_id, expires_at=later(trigger.decided_at, validity))


def _made_again(triggers: tuple[Trigger, ...], again: Trigger) -> tuple[Trigger, ...]:
    """The triggers, one of which was made again after a loss. What was reported of it and that it ended stay."""
    return tuple(
        again._replace(
            feedback=one.feedback,
            impressions=one.impressions,
            revoked=one.revoked,
            revoke_reason=one.revoke_reason,
        )
        if one.trigger_id == again.trigger_id
        else one
        for one in triggers
    )


def _with_changes(record: UserRecord, told: Told, notes: Notes) -> UserRecord:
    if not told.changes:
        return record
    known = {one.subscription_id: one.facts for one in record.announced}
    for change in told.changes:
        before = known.get(change.subscription_id, NOTHING_ANNOUNCED)
        if any(before.get(name) != value for name, value in change.before.items()):
            notes.lacks(f"a change of subscription {change.subscription_id} before {told.at:{MINUTE}} UTC")
        known[change.subscription_id] = _facts_after(before, change)
        notes.counts["announced"] += 1
    there = (sub.id for sub in record.history.head.subscriptions)
    announced = tuple(Announced(sub, known.get(sub, NOTHING_ANNOUNCED)) for sub in there)
    return record._replace(announced=announced)


def _facts_after(before: Facts, change: Change) -> Facts:
    facts = change.after if change.is_complete else {**before, **change.after}
    return {name: value for name, value in facts.items() if value is not None and name not in PAYMENT_FACTS}


def _fired(fired: Fired, told: Told) -> Fired:
    """The decided causes. Those that are covered already would take the place of newer ones."""
    return fired.plus(tuple(one for one in told.decided if not fired.covers(*one)))


def _deferred(record: UserRecord, told: Told) -> tuple[Deferred, ...]:
    """The deferred decisions that still wait after this one, with those that it put off."""
    waiting = [one for one in record.deferred if one.until > told.at]
    new = [one._replace(moment=_with_campaign(one.moment, record)) for one in told.deferred]
    return tuple(sorted((*waiting, *new), key=lambda one: one.until)[:MAX_DEFERRED])


def _with_campaign(moment: Moment, record: UserRecord) -> Moment:
    """The moment with the campaign of the trigger that it follows, which messages do not name."""
    followed = record.trigger(moment.follows) if moment.follows else None
    return moment._replace(campaign=followed.campaign_id) if followed else moment


def _assignments(record: UserRecord, told: Told, catalog: Catalog, notes: Notes) -> tuple[Assignment, ...]:
    """The assignments with those that are told: new ones, and old ones that are not known."""
    known = {(one.experiment_id, one.unit) for one in record.assignments}
    experiments = catalog.document.experiments
    told_now = [
        one.assignment
        for one in told.chosen
        if (one.is_new or (one.assignment.experiment_id, one.assignment.unit) not in known)
        and ((terms := experiments.get(one.assignment.experiment_id)) is None or terms.sticky)
    ]
    notes.counts["assignments"] += len(told_now)
    return assign(record.assignments, told_now)


def _with_answer(record: UserRecord, told: Told, notes: Notes) -> UserRecord:
    """The record with the answer that an app got to its request."""
    if told.event[0] != OFFER_REQUEST or told.placement is None:
        return record
    made = {one.trigger.trigger_id for one in told.won if one.trigger.placement == told.placement}
    given = next((one for one in record.triggers if one.trigger_id in made and not one.withheld), None)
    answer = given or newest_open(record.triggers, told.placement, told.at)
    digest = request_digest(told.placement)
    known = AnsweredRequest(told.cause, digest, told.at, answer.trigger_id if answer else None)
    notes.counts["requests"] += 1
    return record._replace(requests=remember(record.requests, known))
