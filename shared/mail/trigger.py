"""The message of `upsell-trigger` as a consumer reads it: the fields it needs, and no others."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.inbound.envelope import Delivery
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import read_object
from shared.domain.errors import Rejected

TriggerId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")]
"""An id of Upbeat's, 32 hex digits; any other that passes is no path in Firestore or in an address."""


class MailTrigger(BaseModel):
    """An offer to send or to take back. Unknown fields are ignored, as the contract asks."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["issued", "revoked"]
    trigger_id: TriggerId
    user_id: str = Field(pattern=r"^[!-.0-~]{1,256}$")
    sequence: int = Field(ge=1, strict=True)
    channel: str
    placement: str = Field(min_length=1, max_length=128)
    expires_at: AwareDatetime
    offer_id: str = ""
    cms_ref: str | None = None
    plan_to: str | None = None
    price_ref: str | None = None

    def is_expired(self, now: datetime) -> bool:
        """True from `expires_at` on: the offer must not be shown any more."""
        return self.expires_at <= now


def read_trigger(delivery: Delivery) -> MailTrigger:
    """The trigger in a delivery. Raises `Rejected`, which names the first wrong field and no value."""
    content = read_object(delivery.data)
    try:
        return MailTrigger.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        found = "nothing" if first["type"] == "missing" else f"a value that breaks the rule {first['type']}"
        raise Rejected(
            RejectionReason.INVALID, f"{place}: expected a field as docs/contracts has it, found {found}"
        ) from None
