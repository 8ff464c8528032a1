"""Checks on all published messages, in the order in which the bus accepted them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from shared.contracts.outbound.base import Sequenced
from shared.contracts.outbound.decision import DecisionMessage
from shared.contracts.outbound.exposure import Exposure
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import SubscriptionChange
from shared.contracts.outbound.upsell_trigger import UpsellTrigger
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.domain.triggers import Trigger

MODELS: dict[str, type[Sequenced]] = {
    model.TOPIC: model for model in (UpsellTrigger, SubscriptionChange, DecisionMessage, Exposure)
}


def check_written_as_modelled(message: Message) -> None:
    """Check that a message, which is written without its model, is what the model would write.

    The one difference: for an unknown value a model may write null, while the message has no field.
    """
    read = MODELS[message.topic].model_validate_json(message.data)
    assert read.message_id == message.message_id
    assert read.model_dump(mode="json", exclude_unset=True) == message.body
    assert not any(value for name, value in read.model_dump().items() if name not in message.body)


def check_no_issue_after_revocation(taken: Sequence[Message]) -> None:
    """Check law 7: a revocation is final."""
    revoked = set()
    for message in _triggers(taken):
        if message.body["kind"] == "revoked":
            revoked.add(message.body["trigger_id"])
        else:
            assert message.body["trigger_id"] not in revoked, "issued after it was revoked"


def check_one_id_a_cause(taken: Sequence[Message]) -> None:
    """Check law 6: one cause and campaign have one trigger id, however often it is published."""
    ids: dict[tuple[str, str], set[str]] = {}
    for message in _triggers(taken):
        cause = message.body["cause"], message.body["campaign_id"]
        ids.setdefault(cause, set()).add(message.body["trigger_id"])
    assert all(len(names) == 1 for names in ids.values())


def check_one_body_an_id(taken: Sequence[Message]) -> None:
    """Check that messages with the same id are equal, and that different ids have different sequence numbers."""
    bodies: dict[str, Message] = {}
    for message in taken:
        assert bodies.setdefault(message.message_id, message) == message
    numbers = [message.body["sequence"] for message in bodies.values()]
    assert len(numbers) == len(set(numbers))


def check_each_moment_once(taken: Sequence[Message]) -> None:
    """Check that no two changes tell the same moment."""
    changes = {one.message_id: one.body for one in taken if one.topic == Topic.SUBSCRIPTION_CHANGE}
    told = [(moment["kind"], moment["cause"]) for body in changes.values() for moment in body["moments"]]
    assert len(told) == len(set(told)), "a moment was told twice"


def check_allowed(catalog: Catalog, new: Trigger, made: Collection[Trigger]) -> None:
    """Check that no limit of its campaign forbids a trigger, given all earlier triggers and their feedback.

    This is the plainest form of the rule, over all triggers ever issued, also those evicted from the document.
    """
    terms = catalog.document.campaigns.get(new.campaign_id)
    if terms is None:
        assert not [one for one in made if one.campaign_id == new.campaign_id and one.is_open(new.decided_at)]
        return
    for cap in terms.cap:
        used = [at for at in _times(new, made, cap.scope, cap.event) if _is_within(at, new, cap.window_days)]
        assert len(used) < cap.max, f"{new.campaign_id}: a cap was exceeded: {cap}"
    for rule in terms.suppress_on:
        answers = [at for at in _times(new, made, rule.scope, rule.event) if _is_within(at, new, rule.window_days)]
        assert not answers, f"{new.campaign_id}: offered despite an answer that suppresses it: {rule}"
    for event, hours in terms.cool_down_hours.items():
        times = _times(new, made, "campaign", event)
        assert all(new.decided_at - at >= timedelta(hours=hours) for at in times), (
            f"{new.campaign_id}: no cool-down"
        )
    if group := terms.exclusivity_group:
        others = {id_ for id_, other in catalog.document.campaigns.items() if other.exclusivity_group == group}
        rivals = [one for one in made if one.campaign_id in others - {new.campaign_id} and _competes(one, new)]
        assert not rivals, f"{new.campaign_id}: open together with {[one.campaign_id for one in rivals]}"


def _times(new: Trigger, made: Collection[Trigger], scope: str, event: str) -> list[datetime]:
    """The times of the events that a scope counts for a trigger."""
    field = {"campaign": "campaign_id", "offer": "offer_id"}.get(scope, scope)
    counted = [one for one in made if scope == "user" or getattr(one, field) == getattr(new, field)]
    if event == "issued":
        return [one.decided_at for one in counted]
    return [report.at for one in counted for report in one.feedback if report.kind == event]


def _is_within(at: datetime, new: Trigger, window_days: int | None) -> bool:
    return window_days is None or at > new.decided_at - timedelta(days=window_days)


def _competes(one: Trigger, new: Trigger) -> bool:
    return one.is_open(new.decided_at) and not any(report.kind == "dismissed" for report in one.feedback)


def _triggers(taken: Sequence[Message]) -> list[Message]:
    return [message for message in taken if message.topic == Topic.UPSELL_TRIGGER]
