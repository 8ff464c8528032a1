"""The base of every outgoing message: its version, its deterministic id, and its place in a user's sequence."""

from abc import abstractmethod
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, computed_field

from shared.contracts.outbound.message import Message

_RFC_3339 = WithJsonSchema({"type": "string", "format": "date-time", "pattern": "Z$"})
Json = dict[str, Any]
"""A message body, or a part of one, as JSON: see `Message.body`."""
UtcTime = Annotated[datetime, _RFC_3339]
"""An instant, written as RFC 3339 with Z."""
WrittenTime = Annotated[str, _RFC_3339]
"""An instant that is already written as RFC 3339 with Z."""


def name_of(*parts: str) -> str:
    """A deterministic id for what the parts identify together: 32 hex digits."""
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def rfc3339(time: datetime) -> str:
    """An instant in UTC as pydantic writes it; orjson takes a third of the time of `isoformat`."""
    return orjson.dumps(time, option=orjson.OPT_UTC_Z)[1:-1].decode()


class Outbound(BaseModel):
    """The fields of every outgoing message."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    TOPIC: ClassVar[str]

    schema_version: Literal[1] = Field(default=1, description="The version of this message contract, always 1.")

    @computed_field(description="The id of the message: the same whenever it is delivered again.")  # type: ignore[prop-decorator]
    @property
    def message_id(self) -> str:
        """The id by which a consumer recognises a redelivered message."""
        return self.identity()

    @abstractmethod
    def identity(self) -> str:
        """The message's id, derived from its content."""

    def body(self) -> Json:
        """The message as JSON, as it is stored and published."""
        return self.model_dump(mode="json")

    def message(self) -> Message:
        """The message to publish."""
        return Message(self.TOPIC, self.message_id, self.body())


class Draft(NamedTuple):
    """A message about a user, written as its model describes it, without what all messages of a processing share.

    It is JSON that is built directly, because to fill a model and to serialize it takes four times as long. Tests
    hold every message to its model (ADR 0036).
    """

    topic: str
    message_id: str
    fields: Json

    def message(self, shared: Json, sequence: int) -> Message:
        """The message to publish; `shared` are the other fields of `Sequenced`."""
        whole = {**shared, "sequence": sequence, "message_id": self.message_id, **self.fields}
        return Message(self.topic, self.message_id, whole)


class EventReference(BaseModel):
    """The identity of the inbound event that led to a message."""

    model_config = ConfigDict(defer_build=True, frozen=True)

    topic: str = Field(
        description="The topic on which the event arrived; `lifecycle-due` if only time had passed."
    )
    source: str = Field(description="The event's `source`; an empty string if it had none.")
    event_id: str = Field(description="The event's `event_id`.")


class Sequenced(Outbound):
    """A message about one user, numbered so that a consumer can order all messages about that user."""

    user_id: str = Field(description="The user whom the message is about.")
    sequence: int = Field(
        ge=1, description="Grows with every message about the user: the message with the greater number is newer."
    )
    decided_at: UtcTime = Field(description="When Upbeat processed the event (UTC).")
    event: EventReference = Field(description="The event whose processing produced this message.")
