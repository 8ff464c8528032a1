"""What all messages out have in common."""

from abc import abstractmethod
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from shared.contracts.outbound.message import Message
from shared.domain.events import Key

_RFC_3339 = WithJsonSchema({"type": "string", "format": "date-time", "pattern": "Z$"})
Json = dict[str, Any]
"""A body, or a part of one, as JSON: see `Message.body`."""
UtcTime = Annotated[datetime, _RFC_3339]
"""Written as RFC 3339 with Z."""
WrittenTime = Annotated[str, _RFC_3339]
"""A time that is written so already."""


def name_of(*parts: str) -> str:
    """Name what the parts identify together: 32 hex digits, the same whenever it is named again."""
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def rfc3339(time: datetime | None) -> str | None:
    """Write a time in UTC as pydantic does in every message; orjson takes a third of the time of `isoformat`."""
    return orjson.dumps(time, option=orjson.OPT_UTC_Z)[1:-1].decode() if time else None


class Outbound(BaseModel):
    """What every message out has."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    TOPIC: ClassVar[str]

    schema_version: Literal[1] = Field(default=1, description="The version of this contract: 1.")

    @property
    @abstractmethod
    def message_id(self) -> str:
        """The id by which a consumer recognises the message when it comes again."""

    def message(self) -> Message:
        """Make the message to publish."""
        return Message(self.TOPIC, self.message_id, self.model_dump(mode="json"))


class EventReference(BaseModel):
    """An event, by what identifies it."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")

    topic: str = Field(description="The topic it came in on; `lifecycle-due` where time alone was the cause.")
    source: str = Field(description="Its source; empty where it gave none.")
    event_id: str = Field(description="Its id.")


def header(user_id: str, decided_at: datetime, key: Key) -> Json:
    """Write what every message of one processing begins with; each of them has a `sequence` besides.

    The messages of a processing are written without their models, which would take as long as the decision itself;
    tests/infra/replay/test_outputs_match_contracts.py holds every message of a replay to its model.
    """
    return {
        "schema_version": 1,
        "user_id": user_id,
        "decided_at": rfc3339(decided_at),
        "event": {"topic": key.topic, "source": key.source, "event_id": key.event_id},
    }


class Sequenced(Outbound):
    """A message about one user, which a consumer can put in order with the others about that user."""

    user_id: str = Field(description="The user it is about.")
    sequence: int = Field(
        ge=1, description="Grows with every message about the user: of two, the greater is the newer."
    )
    decided_at: UtcTime = Field(description="When Upbeat decided it (UTC).")
    event: EventReference = Field(description="The event whose processing led to it.")
