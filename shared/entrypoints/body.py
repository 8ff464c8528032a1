"""The body of a request, read within a bound, so that large bodies cannot use up an instance's memory."""

import re
from typing import TYPE_CHECKING

from shared.contracts.inbound.envelope import Delivery
from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected

if TYPE_CHECKING:
    from starlette.requests import Request

KEPT_BYTES = 32 * 1024
"""The bytes that are kept of the beginning of a body beyond the bound."""
_MESSAGE_ID = re.compile(rb'"(?:messageId|message_id)"\s*:\s*"([\w-]{1,128})"')


async def read_body(request: "Request", limit: int) -> Delivery:
    """The body of a request as the data of a delivery; of a body of more than `limit` bytes, its beginning.

    All bytes are received, since most clients read no answer before they have sent everything. Raises
    `ClientDisconnect` if the client goes away before that.
    """
    received, size, end = bytearray(), 0, bytearray()
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            received += chunk
            continue
        end = ((end or received[-KEPT_BYTES:]) + chunk[-KEPT_BYTES:])[-KEPT_BYTES:]
        received = (received[:KEPT_BYTES] + chunk[:KEPT_BYTES])[:KEPT_BYTES]
    if size <= limit:
        return Delivery(bytes(received), {})
    return _beginning(received, end, size)


def beginning_of(body: bytes) -> Delivery:
    """The result of `read_body` for this body if it has more bytes than the limit."""
    return _beginning(body[:KEPT_BYTES], body[-KEPT_BYTES:], len(body))


def check_complete(received: Delivery, limit: int) -> None:
    """Raise `Rejected` (`too_large`) if the body had more than `limit` bytes."""
    if received.truncated_from:
        raise Rejected(
            RejectionReason.TOO_LARGE,
            f"the request body: expected at most {limit} bytes, found {received.truncated_from}",
        )


def _beginning(received: bytes | bytearray, end: bytes | bytearray, size: int) -> Delivery:
    return Delivery(bytes(received), {}, _message_id(received, end), truncated_from=size)


def _message_id(*parts: bytes | bytearray) -> str | None:
    """The id of the message in a push body, if it is in one of its parts. Pub/Sub writes it after the data."""
    found = (_MESSAGE_ID.search(part) for part in parts)
    return next((match[1].decode() for match in found if match), None)
