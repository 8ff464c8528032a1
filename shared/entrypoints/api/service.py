"""The methods of the decisions service: each takes a valid request and answers JSON, which both faces write.

Nothing is decided here: the use cases are those of events, and what is read comes from the queries that the
command line prints.
"""

import asyncio
from hashlib import blake2b
from typing import Any

from shared.application.decide_now import OfferRequest, decide_now
from shared.application.read_user import ANY_AGE, Freshness, UserRead, read_user
from shared.contracts.api import requests
from shared.contracts.inbound.envelope import check_not_future
from shared.contracts.inbound.events import TriggerFeedback
from shared.contracts.inbound.validation import validate
from shared.contracts.outbound.base import rfc3339
from shared.domain.errors import Transient
from shared.domain.triggers import trigger_state
from shared.entrypoints.api.kept_entitlements import KeptEntitlements
from shared.queries.access import entitlement, subscription
from shared.queries.newest_decision import newest_decision
from shared.queries.open_offers import offer, open_offers
from shared.queries.user_view import to_json
from shared.wiring import Wiring

Answer = dict[str, Any]
"""JSON by the names of the .proto file; a field that does not apply is null."""
APART = ("subscription_id", "status", "entitled", "plan")
"""The facts of a subscription that have fields of their own."""
PATIENCE_SECONDS = 1.0
"""The time that the store has for an entitlement if an earlier answer is kept."""


class DecisionsService:
    """Every method raises `Rejected` for what can never succeed, and `Transient` for what may later."""

    def __init__(self, wired: Wiring) -> None:
        self._application = wired.application
        self._clock = wired.clock
        self._terms = wired.terms
        self._kept = KeptEntitlements()

    async def get_subscription(self, request: requests.GetSubscription) -> Answer:
        """The state of a user's subscription now."""
        read = await self._read(request, Freshness(request.min_sequence, request.after_event_id))
        view = to_json(subscription(read.record, read.now, self._terms, every=request.every))
        every = view.pop("subscriptions", None)
        user = {name: view.pop(name) for name in ("user_id", "trial_used", "sequence", "as_of")}
        answer = {**user, "subscription": _subscription(view), "stale": read.stale}
        return answer if every is None else {**answer, "subscriptions": [_subscription(one) for one in every]}

    async def get_entitlement(self, request: requests.GetEntitlement) -> Answer:
        """The user's access now: one read.

        If the store does not answer, the answer is the one that this instance gave last, which then is `stale`.
        """
        kept = self._kept.answer(request.user_id, self._clock.now())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS if kept else None):
                read = await self._read(request)
        except (Transient, TimeoutError):
            if kept is None:
                raise
            return {**kept, "stale": True}
        found = entitlement(read.record, read.now, self._terms)
        answer = {
            "user_id": request.user_id,
            "entitled": found.entitled,
            "status": found.status,
            "plan": found.plan,
            "until": rfc3339(found.until) if found.until else None,
            "sequence": found.sequence,
            "etag": found.tag,
            "stale": False,
        }
        self._kept.keep(request.user_id, answer, read.now, found.until)
        return answer

    async def decide(self, request: requests.Decide) -> Answer:
        """One offer or nothing: one read and one write."""
        asked = OfferRequest(request.user_id, request.placement, request.idempotency_key)
        answer = await decide_now(self._application, asked, dry_run=request.dry_run)
        now, trigger = self._clock.now(), answer.trigger
        return {
            "user_id": request.user_id,
            "offer": offer(trigger, max(now, trigger.decided_at), answer.catalog) if trigger else None,
            "is_new": answer.is_new,
            "is_repeat": answer.is_repeat,
            "sequence": answer.record.sequence,
            "catalog_version": answer.catalog.version,
        }

    async def list_offers(self, request: requests.ListOffers) -> Answer:
        """The offers that may be shown now."""
        read, catalog = await self._read(request), await self._application.catalogs.current()
        offers = open_offers(read.record, read.now, self._terms, catalog, request.placement)
        return {"user_id": request.user_id, "offers": offers, "sequence": read.record.sequence}

    async def give_feedback(self, request: requests.GiveFeedback) -> Answer:
        """Take what `trigger-feedback` tells, by the same use case."""
        now = self._clock.now()
        given = {
            "event_id": request.event_id or f"{request.trigger_id}.{request.kind}",
            "user_id": request.user_id,
            "occurred_at": rfc3339(request.occurred_at or now),
            "trigger_id": request.trigger_id,
            "kind": request.kind.value,
        }
        event = validate(TriggerFeedback, given).to_event()
        if request.event_id is None or request.occurred_at is None:
            event = event._replace(digest=_digest_without_defaults(request))
        check_not_future(event, now, self._terms.clock_skew)
        handled = await self._application.handle(event)
        known = handled.record.trigger(request.trigger_id)
        return {
            "user_id": request.user_id,
            "outcome": handled.arrival.value,
            "state": trigger_state(known, max(now, known.decided_at)).value if known else None,
            "sequence": handled.record.sequence,
        }

    async def explain(self, request: requests.Explain) -> Answer:
        """The newest decision on record."""
        read = await self._read(request)
        return {"user_id": request.user_id, "decision": newest_decision(read.record)}

    async def _read(self, request: requests.ApiRequest, wanted: Freshness = ANY_AGE) -> UserRead:
        return await read_user(self._application, request.user_id, wanted)


def _digest_without_defaults(report: requests.GiveFeedback) -> str:
    """A digest of a report whose id or time is a default: a repeat of it has another time."""
    return blake2b(f"{report.trigger_id} {report.kind.value}".encode(), digest_size=8).hexdigest()


def _subscription(view: dict[str, Any]) -> dict[str, Any]:
    """A subscription: the facts that every app needs, and beside them all that apply."""
    facts = {name: value for name, value in view.items() if name not in APART and value is not None}
    return {**{name: view[name] for name in APART}, "facts": facts}
