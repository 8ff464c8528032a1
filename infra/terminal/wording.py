"""Events and messages in words, short enough for one line of a timeline."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.events import Event, FeedbackGiven, PaymentReported, SignalSeen, TrialStarted

Body = Mapping[str, Any]
"""The JSON of a message."""
TOLD_OTHERWISE = frozenset({"status", "entitled", "period_start"})
"""Facts of a change that follow from others, or are told first."""
SHOWN_OF_ID = 8
"""Characters of a long id that are enough to find it again."""


def of_event(event: Event) -> str:
    """What happened."""
    said = _of_fact(event)
    return said if event.subscription_id == "main" else f"{said} [{event.subscription_id}]"


def of_change(body: Body) -> str:
    """What is so now: the status, and the other facts that changed."""
    before, after = body["before"], body["after"]
    status = after["status"] if before["status"] == after["status"] else f"{before['status']} -> {after['status']}"
    known = {name: it for name, it in after.items() if it is not None and name not in TOLD_OTHERWISE}
    facts = (f"{name} {of_value(it)}" for name, it in sorted(known.items()))
    return ", ".join((status, *facts))


def of_trigger(body: Body) -> str:
    """What is offered, or offered no longer, and because of which moment."""
    return f"{body['campaign_id']}: {body['offer_id']} in {body['placement']} ({body['moment']})"


def of_candidate(candidate: Body) -> str:
    """Why a campaign made no offer."""
    detail = f" ({candidate['detail']})" if candidate["detail"] else ""
    return f"{candidate['campaign_id']}: {candidate['reason']}{detail}"


def of_value(value: object) -> str:
    """A fact's value; instants to the minute."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case bool():
            return "yes" if value else "no"
        case _:
            return _of_text(str(value))


def _of_fact(event: Event) -> str:
    match event.fact:
        case TrialStarted(plan, trial_ends_at, auto_renew):
            return _listed(f"trial started: {plan}", until=trial_ends_at, auto_renew=None if auto_renew else "no")
        case PaymentReported() as paid:
            period = f"{paid.period_start:%Y-%m-%d} to {paid.period_end:%Y-%m-%d}"
            said = f"payment {paid.outcome}: {paid.plan}, {period}"
            return _listed(f"{said}, final" if paid.final else said, grace_until=paid.grace_until)
        case SignalSeen() as seen:
            return _listed(
                f"signal: {seen.kind}",
                reason=seen.reason,
                effective_at=seen.effective_at,
                resume_at=seen.resume_at,
                to_plan=seen.to_plan,
            )
        case FeedbackGiven(trigger_id, kind):
            return f"feedback: {kind} of trigger {trigger_id[:SHOWN_OF_ID]}"
        case _:
            return "time passed"


def _listed(said: str, **facts: object) -> str:
    """A sentence, and those facts beside it that were given."""
    given = (f"{name} {of_value(value)}" for name, value in facts.items() if value is not None)
    return ", ".join((said, *given))


def _of_text(text: str) -> str:
    """A text as it is; but an instant in JSON like any other instant."""
    try:
        return of_value(datetime.fromisoformat(text)) if len(text) >= len("2026-01-01T00:00:00Z") else text
    except ValueError:
        return text
