"""The entry point for triggers on the channel `email`."""

from shared import mail_wiring
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.topics import Topic
from shared.entrypoints.deliver import DeliveryResult
from shared.entrypoints.pubsub import Function, push_function
from shared.mail.trigger import read_trigger
from shared.wiring import Wiring


def email_function() -> Function:
    """The function that sends the mail of each trigger. Raises `InvalidSettings` if none could be sent."""
    mail_wiring.check_mail_settings()
    return push_function(Topic.UPSELL_TRIGGER, _deliver)


async def _deliver(_wired: Wiring, _topic: str, delivery: Delivery) -> DeliveryResult:
    trigger = read_trigger(delivery)
    outcome = await mail_wiring.delivery().deliver(trigger)
    return DeliveryResult(outcome, {"trigger_ids": [trigger.trigger_id]})
