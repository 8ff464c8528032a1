"""Outbound messages: deterministic ids, stable bytes, and attributes for subscription filters."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.base import Draft, Json, rfc3339
from shared.contracts.outbound.dead_letter import dead_letter
from shared.contracts.outbound.decision import decision_draft
from shared.contracts.outbound.exposure import ExposureKind, reported, suppressed
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import (
    Facts,
    SubscriptionFacts,
    change_draft,
    difference,
    facts_of,
)
from shared.contracts.outbound.upsell_trigger import TriggerKind, issued, revoked
from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackKind, Key, TimePassed
from shared.domain.grants import Grant, GrantKind
from shared.domain.moments import Moment, MomentKind
from shared.domain.subscription import Cancellation, PlanChange, Status, Subscription
from shared.domain.triggers import Trigger
from tests.support.published import check_written_as_modelled

AT = datetime(2026, 3, 15, 9, 30, 0, 250_000, tzinfo=UTC)
KEY = Key(AT, "payment", "billing", "p-1")
PAID = Grant(GrantKind.PAYMENT, AT - timedelta(days=30), AT, AT, "premium", 999)
ACTIVE = Subscription("main", status=Status.ACTIVE, current=PAID, grants=(PAID,))
OFFERED = Trigger(
    trigger_id="5d0c",
    campaign_id="save",
    offer_id="half",
    placement="home",
    channel="in_app",
    moment=MomentKind.PAYMENT_FAILED,
    subscription_id="main",
    cause="c1",
    decided_at=AT,
    expires_at=AT,
    catalog_version="v1",
)
DECIDED_BY = {
    "experiment_id": "x",
    "variant": "a",
    "propensity": 0.25,
    "policy_version": "7",
    "score": 0.5,
    "score_version": 2,
}
"""The optional fields of a trigger that record its experiment, policy and score."""


def sent(draft: Draft, user_id: str = "u-1", sequence: int = 7, decided_at: datetime = AT) -> Message:
    """A draft as the outbox sends it."""
    event = {"topic": KEY.topic, "source": KEY.source, "event_id": KEY.event_id}
    shared = {"schema_version": 1, "user_id": user_id, "decided_at": rfc3339(decided_at), "event": event}
    return draft.message(shared, sequence)


def trigger(kind: TriggerKind = TriggerKind.ISSUED, **chosen: Any) -> Message:
    of = OFFERED._replace(**chosen)
    if kind is TriggerKind.REVOKED:
        return sent(revoked(of, "u-1"))
    return sent(issued(of, "u-1", {"cms_ref": "offers/half", "price_ref": None, "plan_to": None}))


def exposure(kind: ExposureKind = ExposureKind.CLICKED, offer: str | None = "half", **chosen: Any) -> Message:
    of, event = OFFERED._replace(**chosen), Event(KEY, "u-1", "main", TimePassed(), "")
    if kind is ExposureKind.SUPPRESSED:
        return sent(suppressed(of, event, AT, {"offer_id": offer, "reason": "holdout", "detail": "h"}))
    return sent(reported(of, event, FeedbackKind(kind)))


def candidate(outcome: str) -> Json:
    return {
        "campaign_id": "save",
        "offer_id": "half",
        "placement": "home",
        "moment": "renewed",
        "cause": "c1",
        "subscription_id": "main",
        "outcome": outcome,
        "reason": None,
        "detail": None,
    }


def decision(*outcomes: str) -> Message:
    about = {"catalog_version": "v1", "moments": ["renewed"], "context": {}}
    return sent(decision_draft("u-1", "c1", about, [*map(candidate, outcomes)], ()))


def change(
    before: Facts, after: Facts, cause: str = "c1", moments: Sequence[Moment] = (), **about: Any
) -> Message:
    of, user_id = about.pop("of", "main"), about.get("user_id", "u-1")
    user = {"subscription_id": of, "user_status": "active", "user_entitled": True, "facts": after}
    return sent(change_draft(user_id, cause, user, difference(before, after), moments), **about)


def test_a_body_is_plain_json_with_times_in_utc() -> None:
    body = trigger(channel="push", score=0.5).body
    assert body == json.loads(json.dumps(body))
    assert body["decided_at"] == "2026-03-15T09:30:00.250000Z"
    assert body["moment"] == "payment.failed"


def test_data_is_compact_and_the_same_whatever_the_order_of_the_fields() -> None:
    assert (
        Message("t", "1", {"b": 1, "a": {"d": "é", "c": None}}).data == '{"a":{"c":null,"d":"é"},"b":1}'.encode()
    )
    assert Message("t", "1", {"b": 1, "a": 2}).data == Message("t", "1", {"a": 2, "b": 1}).data


FIRST_TOLD = change({"status": "none", "entitled": False}, {"status": "active", "entitled": True})
WRITTEN = [
    trigger(),
    trigger(TriggerKind.REVOKED, **DECIDED_BY),
    exposure(),
    exposure(**DECIDED_BY),
    exposure(ExposureKind.SUPPRESSED, None),
    decision("lost", "issued"),
    FIRST_TOLD,
    change(facts_of(Subscription("")), facts_of(ACTIVE)),
]


@pytest.mark.parametrize("message", WRITTEN)
def test_what_is_written_without_its_model_is_what_the_model_would_write(message: Message) -> None:
    check_written_as_modelled(message)


@pytest.mark.parametrize("message", WRITTEN)
def test_a_stored_message_is_rebuilt_as_it_was(message: Message) -> None:
    rebuilt = Message(message.topic, message.message_id, json.loads(message.data))
    assert rebuilt == message
    assert (rebuilt.data, rebuilt.attributes()) == (message.data, message.attributes())


def test_every_kind_of_feedback_is_an_exposure() -> None:
    assert set(FeedbackKind) == set(ExposureKind) - {ExposureKind.SUPPRESSED}


def test_an_exposure_tells_of_the_decision_what_is_known_alone() -> None:
    assert not DECIDED_BY.keys() & exposure().body.keys()
    told = exposure(**DECIDED_BY).body
    assert {name: told[name] for name in DECIDED_BY} == DECIDED_BY
    assert "reason" not in told


def test_one_event_says_one_thing_of_a_trigger_once() -> None:
    kinds = {exposure(kind).message_id for kind in ExposureKind}
    assert len(kinds | {exposure(trigger_id="other").message_id}) == len(ExposureKind) + 1
    assert exposure().message_id == exposure(**DECIDED_BY).message_id


def test_an_exposure_can_be_filtered_by_what_an_analysis_needs() -> None:
    assert exposure(**DECIDED_BY).attributes() == {
        "message_id": exposure().message_id,
        "schema_version": "1",
        "kind": "clicked",
        "trigger_id": "5d0c",
        "campaign_id": "save",
        "placement": "home",
        "experiment_id": "x",
        "variant": "a",
    }


def test_issuing_and_revoking_are_two_messages_about_one_trigger() -> None:
    first, second = trigger(TriggerKind.ISSUED), trigger(TriggerKind.REVOKED)
    assert first.message_id != second.message_id
    assert first.body["trigger_id"] == second.body["trigger_id"]


def test_a_trigger_can_be_filtered_by_what_a_channel_needs() -> None:
    assert trigger(channel="push").attributes() == {
        "message_id": "5d0c.issued",
        "schema_version": "1",
        "kind": "issued",
        "trigger_id": "5d0c",
        "campaign_id": "save",
        "placement": "home",
        "channel": "push",
        "moment": "payment.failed",
    }


def test_an_attribute_that_the_body_does_not_give_is_left_out() -> None:
    body = {"kind": "issued", "channel": None}
    assert Message("upsell-trigger", "1", body).attributes() == {"message_id": "1", "kind": "issued"}


def test_of_a_topic_that_nobody_filters_only_the_id_is_told() -> None:
    assert Message("lifecycle-due", "m1", {"user_id": "u-1"}).attributes() == {"message_id": "m1"}


def test_a_change_tells_the_status_and_what_differs_alone() -> None:
    longer = PAID._replace(end=AT + timedelta(days=1))
    later = ACTIVE._replace(current=longer, plan_change=PlanChange("basic", None, AT))
    message = change(facts_of(ACTIVE), facts_of(later))
    assert message.body["before"] == {
        "status": "active",
        "entitled": True,
        "period_end": "2026-03-15T09:30:00.250000Z",
        "scheduled_plan": None,
    }
    assert message.body["after"] == {
        "status": "active",
        "entitled": True,
        "period_end": "2026-03-16T09:30:00.250000Z",
        "scheduled_plan": "basic",
    }


def test_a_change_can_be_filtered_by_status() -> None:
    message = change(facts_of(Subscription("main")), facts_of(ACTIVE))
    assert message.attributes() == {
        "message_id": message.body["change_id"],
        "schema_version": "1",
        "subscription_id": "main",
        "status_before": "none",
        "status_after": "active",
        "user_status": "active",
    }


def test_facts_are_told_in_the_words_of_the_contract() -> None:
    facts = facts_of(ACTIVE)
    names = [name for name in SubscriptionFacts.model_fields if name in facts]
    assert list(facts) == names
    assert SubscriptionFacts.model_validate(facts).model_dump(mode="json", exclude_none=True) == facts


def test_a_fact_that_no_longer_applies_is_told_as_null() -> None:
    cancelled = ACTIVE._replace(cancellation=Cancellation(AT, AT))
    message = change(facts_of(cancelled), facts_of(ACTIVE))
    assert message.body["before"]["cancel_at"] == "2026-03-15T09:30:00.250000Z"
    assert message.body["after"]["cancel_at"] is None


def test_one_event_changes_one_subscription_once() -> None:
    facts = {"status": "active", "entitled": True}
    ids = {
        change(facts, facts, **about).message_id
        for about in ({}, {"sequence": 8}, {"decided_at": AT.replace(year=2027)})
    }
    assert len(ids) == 1
    others = ({}, {"user_id": "u-2"}, {"cause": "c2"}, {"of": "car"})
    assert len({change(facts, facts, **about).message_id for about in others}) == 4
    assert decision("lost").message_id not in ids


def test_a_decision_says_whether_anything_came_of_it() -> None:
    assert decision("lost", "issued").attributes()["outcome"] == "issued"
    assert decision("lost", "lost").attributes()["outcome"] == "withheld"


DELIVERY = Delivery(b"\xff\x00", {"b": "2", "a": "1"}, message_id="77", publish_time="2026-03-15T09:30:00Z")
REJECTED = Rejected("id_reused", "event_id: expected a new one")


def test_a_dead_letter_keeps_everything() -> None:
    message = dead_letter("payment", DELIVERY, REJECTED)
    assert message.topic == "dead-letter"
    assert message.body == {
        "schema_version": 1,
        "reason": "id_reused",
        "detail": "event_id: expected a new one",
        "topic": "payment",
        "data_base64": "/wA=",
        "attributes": {"b": "2", "a": "1"},
        "pubsub_message_id": "77",
        "publish_time": "2026-03-15T09:30:00Z",
        "truncated_from": None,
        "dead_letter_id": message.message_id,
        "message_id": message.message_id,
    }
    assert message.attributes() == {
        "message_id": message.message_id,
        "schema_version": "1",
        "reason": "id_reused",
        "topic": "payment",
    }


def test_a_truncated_message_delivered_again_is_the_same_dead_letter() -> None:
    """Its first bytes may differ, since Pub/Sub writes the number of the attempt into the body."""
    bodies = [Delivery(data, {}, "77", truncated_from=2_000_000) for data in (b"{", b"{ ")]
    assert len({dead_letter("payment", one, REJECTED).message_id for one in bodies}) == 1


def test_the_same_message_refused_again_is_the_same_dead_letter() -> None:
    again = DELIVERY._replace(attributes={"a": "1", "b": "2"}, message_id="78", delivery_attempt=2)
    ids = {dead_letter("payment", one, REJECTED).message_id for one in (DELIVERY, again)}
    assert len(ids) == 1


def test_other_data_attributes_or_topic_make_another_dead_letter() -> None:
    others = [
        ("payment", DELIVERY),
        ("trial-start", DELIVERY),
        ("payment", DELIVERY._replace(data=b"")),
        ("payment", DELIVERY._replace(attributes={})),
    ]
    assert len({dead_letter(topic, one, REJECTED).message_id for topic, one in others}) == 4


def test_the_list_of_reasons_is_closed() -> None:
    with pytest.raises(ValidationError):
        dead_letter("payment", DELIVERY, Rejected("because", "no such reason"))
    assert all(reason.meaning.endswith(".") for reason in RejectionReason)
