"""The message that preserves an inbound message which can never be processed."""

from base64 import b64encode
from collections.abc import Mapping

import orjson
from pydantic import Field, computed_field

from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.base import Outbound, name_of
from shared.contracts.outbound.message import Message
from shared.contracts.reasons import RejectionReason
from shared.contracts.topics import Topic
from shared.domain.errors import Rejected

PUBSUB_ATTRIBUTE_PREFIX = "CloudPubSubDeadLetter"
"""Prefix of the attributes that Pub/Sub adds to a message that it forwards to a dead-letter topic.

See https://cloud.google.com/pubsub/docs/handling-failures.
"""
SOURCE_SUBSCRIPTION = PUBSUB_ATTRIBUTE_PREFIX + "SourceSubscription"
"""The attribute with the name of the subscription whose message Pub/Sub forwarded, unchanged, as a dead letter."""


class DeadLetter(Outbound):
    """A rejected message with the reason. Correct it, or redrive it to a version that accepts it.

    It is complete, unless the request body was larger than any event's can be.
    """

    TOPIC = Topic.DEAD_LETTER.value

    reason: RejectionReason = Field(description="The reason, as a code from a closed list.")
    detail: str = Field(
        description="The reason in words for the producer. It names fields and kinds of values, but no value."
    )
    topic: str = Field(description="The topic on which the message arrived.")
    data_base64: str = Field(
        description="The message data byte for byte, in base64; the whole request body if it was no Pub/Sub push;"
        " the first bytes of the request body if `truncated_from` is set."
    )
    truncated_from: int | None = Field(
        default=None,
        description="The size in bytes of a request body of more than 1 MB, of which the letter holds only the"
        " first bytes. Fetch the message by `pubsub_message_id` or from its publisher.",
    )
    attributes: dict[str, str] = Field(description="The message attributes.")
    pubsub_message_id: str | None = Field(default=None, description="The id that Pub/Sub gave the message.")
    publish_time: str | None = Field(default=None, description="When Pub/Sub accepted the message (RFC 3339).")

    @computed_field(  # type: ignore[prop-decorator]
        description="The id of the dead letter: the same whenever the same message is rejected again."
    )
    @property
    def dead_letter_id(self) -> str:
        """One id for each combination of topic, data and attributes; of a truncated message its Pub/Sub id."""
        if self.truncated_from and self.pubsub_message_id:
            return name_of(self.topic, self.pubsub_message_id)
        return letter_id(self.topic, self.data_base64, self.attributes)

    def identity(self) -> str:
        """The dead letter's own id."""
        return self.dead_letter_id


def letter_id(topic: str, data_base64: str, attributes: Mapping[str, str]) -> str:
    """The id of the letter that holds a message whole: the same for the same topic, data and attributes."""
    return name_of(topic, data_base64, orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode())


def dead_letter(topic: str, delivery: Delivery, rejected: Rejected) -> Message:
    """The dead letter of a rejected delivery."""
    return DeadLetter(
        reason=rejected.reason,
        detail=rejected.detail,
        topic=topic,
        data_base64=b64encode(delivery.data).decode(),
        attributes=delivery.attributes,
        pubsub_message_id=delivery.message_id,
        publish_time=delivery.publish_time,
        truncated_from=delivery.truncated_from,
    ).message()
