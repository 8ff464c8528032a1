"""Impressions: a trigger may be shown often. The newest 32 of a user are kept one by one, older ones tallied."""

from datetime import datetime
from typing import NamedTuple

from shared.domain.events import FeedbackKind
from shared.domain.tallies import Tallies
from shared.domain.triggers import Feedback, Trigger

MAX_IMPRESSIONS = 32
"""The most impressions of one user kept one by one, beside the first of each trigger, which is its feedback."""


class Shown(NamedTuple):
    """The triggers and tallies after a report of feedback."""

    triggers: tuple[Trigger, ...]
    tallies: Tallies


def keep_newest(known: Shown, reported: tuple[Trigger, ...], cause: str) -> Shown:
    """`known` with what an event reported, whose oldest impression is tallied if there are more than 32.

    An impression older than all of them is late: it could not be told from a redelivery of one that is tallied.
    """
    if sum(len(trigger.impressions) for trigger in reported) <= MAX_IMPRESSIONS:
        return known._replace(triggers=reported)
    at, oldest, trigger = min(
        (_place(trigger.impressions[0]), trigger.impressions[0], trigger)
        for trigger in reported
        if trigger.impressions
    )
    if oldest.cause == cause:
        return known
    without = trigger._replace(impressions=trigger.impressions[1:])
    triggers = tuple(without if one is trigger else one for one in reported)
    return Shown(triggers, known.tallies.plus(trigger, [(FeedbackKind.IMPRESSION, at[0])]))


def _place(report: Feedback) -> tuple[datetime, str]:
    return report.at, report.cause
