"""Follow-ups: moments that an answer to an earlier trigger brings, or that there was none for some time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from shared.domain.events import FeedbackKind
from shared.domain.instants import later
from shared.domain.moments import Moment, MomentKind, MomentSelector
from shared.domain.offsets import offset_text
from shared.domain.terms import Terms
from shared.domain.triggers import FINAL, REPLACED, Feedback, Trigger

FollowUps = Mapping[str, Sequence[MomentSelector]]
"""The follow-ups that a catalog asks for, by the campaign that they follow."""
_ANSWER = {
    MomentKind.FEEDBACK_ABSENT: None,
    MomentKind.FEEDBACK_CLICKED: FeedbackKind.CLICKED,
    MomentKind.FEEDBACK_DISMISSED: FeedbackKind.DISMISSED,
}
"""The answer that each kind of follow-up is about."""
_ANSWERS = {FeedbackKind.CLICKED, FeedbackKind.DISMISSED, *FINAL}


def follow_ups(triggers: Sequence[Trigger], wanted: FollowUps, now: datetime, terms: Terms) -> Iterator[Moment]:
    """Every follow-up of the triggers that the user was given, past and future alike, as their answers are now.

    What came about longer ago than a message is redelivered is no news, and is left out.
    """
    for trigger in triggers if wanted else ():
        selectors = wanted.get(trigger.campaign_id)
        if selectors is None or trigger.withheld:
            continue
        answer = standing_answer(trigger)
        for selector in selectors:
            if _is_about(answer, selector.kind) and not _is_taken_back(trigger, selector.kind, is_issued=False):
                at = _instant(trigger, selector, answer)
                if now - at < terms.redelivery:
                    yield follow_up(trigger, selector, at)


def follow_up(followed: Trigger, selector: MomentSelector, at: datetime) -> Moment:
    """The follow-up of one trigger at an instant (UTC): the same occurrence, whichever event brings it."""
    offset = f"/{offset_text(selector.offset)}" if selector.offset else ""
    return Moment(
        kind=selector.kind,
        subscription_id=followed.subscription_id,
        at=at,
        cause=f"{selector.kind}/{followed.trigger_id}{offset}",
        offset=selector.offset,
        follows=followed.trigger_id,
        campaign=followed.campaign_id,
    )


def is_answered_so(followed: Trigger, kind: MomentKind, *, is_issued: bool) -> bool:
    """True if the user's answer to a trigger is the one that a kind of follow-up is about, and it was not revoked.

    `is_issued` says whether the follow-up has led to a trigger, or is still to be decided.
    """
    return _is_about(standing_answer(followed), kind) and not _is_taken_back(followed, kind, is_issued=is_issued)


def standing_answer(trigger: Trigger) -> Feedback | None:
    """The answer that stands: accepted or converted, else the later of clicked and dismissed; None without any."""
    answers = [report for report in trigger.feedback if report.kind in _ANSWERS]
    return max(answers, key=_standing) if answers else None


def _standing(report: Feedback) -> tuple[bool, datetime, bool]:
    """The order of answers, the one that stands last. At one instant, dismissed stands over clicked."""
    return report.kind in FINAL, report.at, report.kind is FeedbackKind.DISMISSED


def _is_about(answer: Feedback | None, kind: MomentKind) -> bool:
    return (answer and answer.kind) is _ANSWER[kind]


def _is_taken_back(followed: Trigger, kind: MomentKind, *, is_issued: bool) -> bool:
    """True if a trigger was revoked, so that a kind of follow-up is not true any more.

    That another offer took its place matters only while the user might have answered and the follow-up is not
    issued yet: afterwards the follow-up itself may be what took the place.
    """
    if not followed.revoked or followed.revoke_reason != REPLACED:
        return followed.revoked
    return kind is MomentKind.FEEDBACK_ABSENT and not is_issued


def _instant(trigger: Trigger, selector: MomentSelector, answer: Feedback | None) -> datetime:
    """The instant of a follow-up. No answer is before the decision."""
    if answer is None:
        return later(trigger.decided_at, selector.offset or timedelta(0))
    return max(answer.at, trigger.decided_at)
