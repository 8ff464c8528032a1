"""Requests for an offer that were answered, by which a repeated one gets the same answer."""

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from shared.domain.arrival import check_same
from shared.domain.events import Event

MAX_REQUESTS = 16
"""Answered requests that a document keeps."""
OFFER_REQUEST = "offer-request"
"""The topic that messages name for a request, which comes by none."""


class AnsweredRequest(NamedTuple):
    """One request, and the trigger that was its answer."""

    cause: str
    """The short name of the request, by which a repeated one is recognised."""
    digest: str
    """The digest of its content."""
    at: datetime
    """The instant of the answer, UTC."""
    trigger_id: str | None
    """The trigger that the user was given, or that was open in the placement; None if the answer was nothing."""


def request_digest(placement: str) -> str:
    """The digest of a request's content, which is the placement alone."""
    return blake2b(placement.encode(), digest_size=8).hexdigest()


def answer_to(answered: tuple[AnsweredRequest, ...], event: Event) -> AnsweredRequest | None:
    """The answer that a request got before; None for a new one.

    Raises `Rejected` (`id_reused`) if an earlier request of the same identity had other content.
    """
    cause = event.key.cause
    known = next((one for one in answered if one.cause == cause), None)
    if known:
        check_same(known.digest, event)
    return known


def remember(answered: tuple[AnsweredRequest, ...], answer: AnsweredRequest) -> tuple[AnsweredRequest, ...]:
    """The answered requests with one more, the newest last; of more than 16 the oldest go."""
    return (*answered, answer)[-MAX_REQUESTS:]
