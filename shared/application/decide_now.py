"""The use case of an app that asks what to offer a user in a placement, and waits for the answer.

A request is an event like any other: the same gates, caps and laws hold, and what it leads to is committed,
published and counted before the answer. Its identity is the key that the app chooses, so that a repeat has the
same answer.
"""

from typing import NamedTuple

from shared.application.handle_event import Application
from shared.contracts.reasons import RejectionReason
from shared.decisioning.catalog import Catalog
from shared.domain.account import DEFAULT_SUBSCRIPTION
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, Key, OfferRequested
from shared.domain.requests import OFFER_REQUEST, request_digest
from shared.domain.triggers import Trigger
from shared.record.user_record import UserRecord


class OfferRequest(NamedTuple):
    """One request of an app."""

    user_id: str
    placement: str
    key: str
    """The idempotency key: the same for every repeat of the request, and new for each new one of the user."""


class OfferAnswer(NamedTuple):
    """The answer to a request."""

    record: UserRecord
    """The user's record as it is committed; of a dry run, as it would be."""
    catalog: Catalog
    trigger: Trigger | None
    """The trigger to show: a new one, or the one that is open in the placement; None for nothing."""
    is_new: bool
    """True if the request, or an earlier one of its key, led to the trigger."""
    is_repeat: bool
    """True if the key was answered before."""


async def decide_now(application: Application, request: OfferRequest, *, dry_run: bool = False) -> OfferAnswer:
    """Answer a request, once what it leads to is committed and published; a dry run does neither.

    Raises `Rejected`: `unknown_value` for a placement that the catalog does not have, `id_reused` for a key that
    was used for another placement. Raises `Transient` if the store or the bus does not answer.
    """
    catalog = await application.catalogs.current()
    if request.placement not in catalog.document.placements:
        expected = "a placement of the catalog"
        raise Rejected(RejectionReason.UNKNOWN_VALUE, f"placement: expected {expected}, found another name")
    event = _event(request, application)
    handled = await (application.preview(event) if dry_run else application.handle(event))
    cause = event.key.cause
    known = next((one for one in handled.record.requests if one.cause == cause), None)
    trigger = handled.record.trigger(known.trigger_id) if known and known.trigger_id else None
    is_new = trigger is not None and cause in {trigger.cause, trigger.decided_by}
    return OfferAnswer(handled.record, catalog, trigger, is_new, handled.arrival is Arrival.DUPLICATE)


def _event(request: OfferRequest, application: Application) -> Event:
    key = Key(application.clock.now(), OFFER_REQUEST, "", request.key)
    digest = request_digest(request.placement)
    return Event(key, request.user_id, DEFAULT_SUBSCRIPTION, OfferRequested(request.placement), digest)
