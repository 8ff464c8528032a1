"""The offers that a consumer may show a user now, and one trigger as an app sees it."""

from datetime import datetime

from shared.contracts.outbound.base import rfc3339
from shared.decisioning.catalog import Catalog
from shared.domain.conditions import is_trigger_true
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger, trigger_state
from shared.processing.settle import user_of
from shared.queries.user_view import View
from shared.record.user_record import UserRecord


def open_offers(
    record: UserRecord, now: datetime, terms: Terms, catalog: Catalog, placement: str | None = None
) -> list[View]:
    """The triggers that are open at `now` (UTC) and still true, the newest first; of one placement if it is given.

    One that time has made untrue is left out even before the clock has revoked it.
    """
    account, _ = record.history.at(now, terms)
    user = user_of(record, account, record.triggers, now)
    return [
        offer(trigger, now, catalog)
        for trigger in reversed(record.triggers)
        if trigger.holds_place(now) and not trigger.withheld
        if placement in (None, trigger.placement) and is_trigger_true(trigger, user)
    ]


def offer(trigger: Trigger, now: datetime, catalog: Catalog) -> View:
    """A trigger as an app sees it. What the catalog says of its offer is null if the catalog has it no more."""
    terms = catalog.document.offers.get(trigger.offer_id)
    return {
        "trigger_id": trigger.trigger_id,
        "campaign_id": trigger.campaign_id,
        "offer_id": trigger.offer_id,
        "placement": trigger.placement,
        "channel": trigger.channel,
        "cms_ref": terms.cms_ref if terms else None,
        "price_ref": terms.price_ref if terms else None,
        "plan_to": terms.plan_to if terms else None,
        "moment": trigger.moment.value,
        "decided_at": rfc3339(trigger.decided_at),
        "expires_at": rfc3339(trigger.expires_at),
        "state": trigger_state(trigger, now).value,
        "experiment_id": trigger.experiment_id,
        "variant": trigger.variant,
    }
