"""Messages out, all in one place: what Upbeat tells the world, and the value in which it is stored and sent."""

from shared.contracts.dead_letter import DeadLetter, dead_letter
from shared.contracts.decision import Candidate, DecisionMessage, decision_message
from shared.contracts.exposure import Exposure, ExposureKind, Fate, exposure_message
from shared.contracts.message import Message
from shared.contracts.outbound import EventReference, Json, header
from shared.contracts.subscription_change import (
    Facts,
    SubscriptionChange,
    SubscriptionFacts,
    change_message,
    difference,
    facts_of,
)
from shared.contracts.upsell_trigger import TriggerKind, UpsellTrigger, trigger_message

__all__ = [
    "Candidate",
    "DeadLetter",
    "DecisionMessage",
    "EventReference",
    "Exposure",
    "ExposureKind",
    "Facts",
    "Fate",
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
