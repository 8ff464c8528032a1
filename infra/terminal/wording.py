"""Events and messages as text, short enough for one line of a timeline."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_never

from shared.domain.events import (
    ErasureRequested,
    Event,
    FeedbackGiven,
    OfferRequested,
    PaymentReported,
    SignalSeen,
    TimePassed,
    TrialStarted,
)

Body = Mapping[str, Any]
"""The JSON of a message."""
SHOWN_OTHERWISE = frozenset({"status", "entitled", "period_start"})
"""Facts of a change that are not listed: the status comes first, and the others follow from other facts."""
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")
SHOWN_OF_ID = 8
"""Characters shown of a long id; enough to find the id again."""
SHOWN_OF_NAME = 32
"""Characters shown of an id that a sender made, whose start may be the same for many."""


def of_event(event: Event) -> str:
    """An event; its subscription follows in brackets unless it is the main one."""
    text = _of_fact(event)
    return text if event.subscription_id == "main" else f"{text} [{event.subscription_id}]"


def of_change(body: Body) -> str:
    """A subscription change: the status and the other facts that changed; its moments, if no fact did."""
    before, after = body["before"], body["after"]
    if body.get("changed") == []:
        return ", ".join(of_moment({**moment, "moment": moment["kind"]}) for moment in body["moments"])
    status = after["status"] if before["status"] == after["status"] else f"{before['status']} -> {after['status']}"
    known = {name: value for name, value in after.items() if value is not None and name not in SHOWN_OTHERWISE}
    facts = (f"{name} {of_value(value)}" for name, value in sorted(known.items()))
    return ", ".join((status, *facts))


def of_trigger(body: Body) -> str:
    """A trigger: campaign, offer, placement and moment; issued and revoked triggers read alike."""
    return f"{body['campaign_id']}: {body['offer_id']} in {body['placement']} ({of_moment(body)})"


def of_moment(body: Body) -> str:
    """The moment of a trigger or a candidate, as a catalog names it."""
    return f"{body['moment']}@{body['offset']}" if body.get("offset") else str(body["moment"])


def of_value(value: object) -> str:
    """The value of a fact: instants to the minute, booleans as yes and no, fractions to three digits."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case bool():
            return "yes" if value else "no"
        case None:
            return "unknown"
        case float():
            return of_fraction(value)
        case list() | tuple():
            return ", ".join(map(of_value, value)) or "none"
        case _:
            return _of_text(str(value))


def of_fraction(value: float) -> str:
    """A number with a fraction, to three digits after the point."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def with_short_times(text: str) -> str:
    """A text in which instants are told to the minute, in UTC."""
    return _TIME.sub(lambda found: _short_time(found[0]), text)


def _short_time(text: str) -> str:
    try:
        return of_value(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError):
        return text


def _of_fact(event: Event) -> str:
    match event.fact:
        case TrialStarted() as trial:
            return _listed(f"trial started: {trial.plan}", until=trial.trial_ends_at, auto_renew=trial.auto_renew)
        case PaymentReported() as payment:
            return _of_payment(payment)
        case SignalSeen() as signal:
            return _of_signal(signal)
        case FeedbackGiven(trigger_id, kind):
            return f"feedback: {kind} of trigger {trigger_id[:SHOWN_OF_ID]}"
        case OfferRequested(placement):
            return f"asked for an offer in {placement}"
        case ErasureRequested():
            return "asked to be forgotten"
        case TimePassed():
            return "time passed"
        case other:
            assert_never(other)


def _of_payment(payment: PaymentReported) -> str:
    """A payment: its plan and its period, or else its id, and what else was said of it."""
    marks = ("final", payment.final), ("partial", payment.partial), ("keeps access", payment.keeps_access)
    said = [payment.plan, _of_period(payment), *(mark for mark, is_set in marks if is_set)]
    known = ", ".join(part for part in said if part)
    return _listed(
        f"payment {payment.outcome}: {known}" if known else f"payment {payment.outcome}",
        payment_id=shortened(payment.payment_id) if payment.period_start is None else None,
        grace_until=payment.grace_until,
        auto_renew=payment.auto_renew,
    )


def _of_period(payment: PaymentReported) -> str | None:
    start, end = payment.period_start, payment.period_end
    match start, end:
        case datetime(), datetime():
            return f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
        case datetime(), None:
            return f"from {start:%Y-%m-%d}"
        case None, datetime():
            return f"until {end:%Y-%m-%d}"
        case _:
            return None


def _of_signal(signal: SignalSeen) -> str:
    of = f" of {signal.currency}" if signal.currency else ""
    price = None if signal.price is None else f"{signal.price} minor units{of}"
    return _listed(
        f"signal: {signal.kind}",
        reason=signal.reason,
        reason_code=signal.reason_code,
        effective_at=signal.effective_at,
        resume_at=signal.resume_at,
        to_plan=signal.to_plan,
        price=price,
        agree_until=signal.agree_until,
    )


def shortened(text: str | None) -> str | None:
    """A text of a sender's, cut where it would fill the line; None stays None."""
    return text if text is None or len(text) <= SHOWN_OF_NAME else f"{text[:SHOWN_OF_NAME]}..."


def _listed(text: str, **facts: object) -> str:
    """A text, followed by every fact that is not None."""
    known = (f"{name} {of_value(value)}" for name, value in facts.items() if value is not None)
    return ", ".join((text, *known))


def _of_text(text: str) -> str:
    """A text unchanged, but an instant in JSON like any other instant."""
    try:
        return of_value(datetime.fromisoformat(text)) if len(text) >= len("2026-01-01T00:00:00Z") else text
    except ValueError:
        return text
