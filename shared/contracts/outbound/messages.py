"""Messages out, all in one place: what Upbeat tells the world, and the value in which it is stored and sent."""

from shared.contracts.outbound.base import EventReference, Json, header
from shared.contracts.outbound.dead_letter import DeadLetter, dead_letter
from shared.contracts.outbound.decision import Candidate, DecisionMessage, decision_message
from shared.contracts.outbound.exposure import Exposure, ExposureDetails, ExposureKind, exposure_message
from shared.contracts.outbound.message import Message
from shared.contracts.outbound.subscription_change import (
    Facts,
    SubscriptionChange,
    SubscriptionFacts,
    change_message,
    difference,
    facts_of,
)
from shared.contracts.outbound.upsell_trigger import TriggerKind, UpsellTrigger, trigger_message

__all__ = [
    "Candidate",
    "DeadLetter",
    "DecisionMessage",
    "EventReference",
    "Exposure",
    "ExposureDetails",
    "ExposureKind",
    "Facts",
    "Json",
    "Message",
    "SubscriptionChange",
    "SubscriptionFacts",
    "TriggerKind",
    "UpsellTrigger",
    "change_message",
    "dead_letter",
    "decision_message",
    "difference",
    "exposure_message",
    "facts_of",
    "header",
    "trigger_message",
]
