"""Messages out, all in one place: what Upbeat tells the world, and the value in which it is stored and sent."""

from shared.contracts.dead_letter import DeadLetter, dead_letter
from shared.contracts.decision import Candidate, DecisionMessage
from shared.contracts.message import Message
from shared.contracts.outbound import EventReference
from shared.contracts.subscription_change import Facts, SubscriptionChange, SubscriptionFacts, difference, facts_of
from shared.contracts.upsell_trigger import TriggerKind, UpsellTrigger

__all__ = [
    "Candidate",
    "DeadLetter",
    "DecisionMessage",
    "EventReference",
    "Facts",
    "Message",
    "SubscriptionChange",
    "SubscriptionFacts",
    "TriggerKind",
    "UpsellTrigger",
    "dead_letter",
    "difference",
    "facts_of",
]
