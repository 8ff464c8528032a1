"""The message that keeps what could never succeed."""

from base64 import b64encode

import orjson
from pydantic import Field, computed_field

from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.base import Outbound, name_of
from shared.contracts.outbound.message import Message
from shared.contracts.reasons import RejectionReason
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected


class DeadLetter(Outbound):
    """A refused message, whole, with the reason: mend it, or redrive it to a version that understands it."""

    TOPIC = Topic.DEAD_LETTER.value

    reason: RejectionReason = Field(description="Why, as a word for machines.")
    detail: str = Field(description="Why, as sentences for its producer. Holds nothing of the event's values.")
    topic: str = Field(description="The topic it came from.")
    data_base64: str = Field(description="Its data, byte for byte; the whole request, if that was no push.")
    attributes: dict[str, str] = Field(description="Its attributes.")
    pubsub_message_id: str | None = Field(default=None, description="The id that Pub/Sub gave it.")
    publish_time: str | None = Field(default=None, description="When Pub/Sub took it (RFC 3339).")

    @computed_field(description="Names the dead letter: the same whenever the same message is refused again.")  # type: ignore[prop-decorator]
    @property
    def dead_letter_id(self) -> str:
        """One for each topic, data and attributes."""
        attributes = orjson.dumps(self.attributes, option=orjson.OPT_SORT_KEYS).decode()
        return name_of(self.topic, self.data_base64, attributes)

    @property
    def message_id(self) -> str:
        """The dead letter's own."""
        return self.dead_letter_id


def dead_letter(topic: str, delivery: Delivery, rejected: Rejected) -> Message:
    """Make the message that keeps a delivery which was rejected."""
    return DeadLetter(
        reason=rejected.reason,
        detail=rejected.detail,
        topic=topic,
        data_base64=b64encode(delivery.data).decode(),
        attributes=delivery.attributes,
        pubsub_message_id=delivery.message_id,
        publish_time=delivery.publish_time,
    ).message()
