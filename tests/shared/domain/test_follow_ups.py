"""Follow-ups: what the answers to a trigger bring, when, and under which name."""

from datetime import timedelta

import pytest

from shared.domain.conditions import is_moment_true, is_trigger_true
from shared.domain.events import FeedbackKind
from shared.domain.follow_ups import follow_ups, is_answered_so
from shared.domain.moments import Moment, MomentKind, MomentSelector
from shared.domain.subscription import Status
from shared.domain.terms import Terms
from shared.domain.triggers import REPLACED, Feedback, Trigger
from tests.support.builders import NOW, ago, paying, trigger, user

K, F = MomentKind, FeedbackKind
THREE_DAYS = timedelta(days=3)
ABSENT = MomentSelector(K.FEEDBACK_ABSENT, THREE_DAYS, "upgrade")
CLICKED = MomentSelector(K.FEEDBACK_CLICKED, campaign="upgrade")
DISMISSED = MomentSelector(K.FEEDBACK_DISMISSED, campaign="upgrade")
WANTED = {"upgrade": (ABSENT, CLICKED, DISMISSED)}


def answered(*answers: tuple[FeedbackKind, float], at: float = 5, **facts: object) -> Trigger:
    """A trigger of so many days ago, with feedback given so many days ago."""
    feedback = tuple(sorted((Feedback(kind, ago(days=days)) for kind, days in answers), key=lambda one: one.kind))
    return trigger(at=ago(days=at), feedback=feedback, **facts)


def brought(*triggers: Trigger) -> list[Moment]:
    return [*follow_ups(triggers, WANTED, NOW, Terms())]


def test_a_missing_answer_comes_so_long_after_the_decision() -> None:
    (moment,) = brought(answered(at=1))
    assert moment.at == ago(days=1) + THREE_DAYS
    assert (moment.kind, moment.offset, moment.campaign) == ABSENT


def test_an_answer_comes_when_it_was_given_but_not_before_the_decision() -> None:
    assert [one.at for one in brought(answered((F.CLICKED, 2)))] == [ago(days=2)]
    assert [one.at for one in brought(answered((F.CLICKED, 9)))] == [ago(days=5)]


def test_the_cause_is_the_kind_the_trigger_and_the_offset() -> None:
    one = answered(trigger_id="t1")
    half = {"upgrade": (ABSENT, ABSENT._replace(offset=timedelta(hours=36)))}
    assert [each.cause for each in follow_ups((one,), half, NOW, Terms())] == [
        "feedback.absent/t1/3d",
        "feedback.absent/t1/36h",
    ]
    (moment,) = brought(answered((F.CLICKED, 2), trigger_id="t1"))
    assert (moment.cause, moment.follows) == ("feedback.clicked/t1", "t1")


def test_what_was_withheld_or_is_of_another_campaign_brings_none() -> None:
    assert not brought(answered(withheld="holdout"), trigger("another"))


def test_what_came_about_before_the_longest_redelivery_is_no_news() -> None:
    assert brought(answered(at=3 + 13.9))
    assert not brought(answered(at=3 + 14))


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([], K.FEEDBACK_ABSENT),
        ([(F.DELIVERED, 3), (F.IMPRESSION, 2)], K.FEEDBACK_ABSENT),
        ([(F.CLICKED, 2)], K.FEEDBACK_CLICKED),
        ([(F.DISMISSED, 2)], K.FEEDBACK_DISMISSED),
        ([(F.CLICKED, 2), (F.DISMISSED, 1)], K.FEEDBACK_DISMISSED),
        ([(F.CLICKED, 1), (F.DISMISSED, 2)], K.FEEDBACK_CLICKED),
        ([(F.CLICKED, 2), (F.DISMISSED, 2)], K.FEEDBACK_DISMISSED),
        ([(F.ACCEPTED, 2)], None),
        ([(F.CLICKED, 1), (F.ACCEPTED, 2)], None),
        ([(F.DISMISSED, 1), (F.CONVERTED, 2)], None),
    ],
)
def test_the_answer_that_stands_brings_its_own_kind_alone(
    answers: list[tuple[FeedbackKind, float]], kind: MomentKind | None
) -> None:
    one = answered(*answers)
    assert [each.kind for each in brought(one)] == ([kind] if kind else [])
    kinds = (K.FEEDBACK_ABSENT, K.FEEDBACK_CLICKED, K.FEEDBACK_DISMISSED)
    assert [each for each in kinds if is_answered_so(one, each, is_issued=True)] == ([kind] if kind else [])


@pytest.mark.parametrize("reason", ["moment", "audience", "kill_switch", "state"])
def test_of_what_was_revoked_nothing_is_said(reason: str) -> None:
    for one in (answered(), answered((F.CLICKED, 1)), answered((F.DISMISSED, 1))):
        assert not brought(one.revoke(reason))


def test_what_was_answered_stays_so_when_another_offer_takes_the_place() -> None:
    assert brought(answered((F.CLICKED, 1)).revoke(REPLACED))
    assert not brought(answered().revoke(REPLACED))


def test_a_place_that_is_taken_ends_the_wait_but_not_what_was_issued_after_it() -> None:
    replaced, revoked = answered().revoke(REPLACED), answered().revoke("moment")
    assert not is_answered_so(replaced, K.FEEDBACK_ABSENT, is_issued=False)
    assert is_answered_so(replaced, K.FEEDBACK_ABSENT, is_issued=True)
    assert not is_answered_so(revoked, K.FEEDBACK_ABSENT, is_issued=True)


FOLLOWED = answered(trigger_id="first")
FOLLOWER = trigger(
    "email",
    ago(days=2),
    moment=K.FEEDBACK_ABSENT,
    follows="first",
    placement="inbox",
    trigger_id="second",
    expires_at=NOW + THREE_DAYS,
)


def test_a_follow_up_is_true_while_what_it_follows_is_there_and_true() -> None:
    assert is_trigger_true(FOLLOWER, user(triggers=(FOLLOWED, FOLLOWER)))
    assert not is_trigger_true(FOLLOWER, user(triggers=(FOLLOWER,)))
    assert not is_trigger_true(FOLLOWER, user(triggers=(answered((F.CLICKED, 1), trigger_id="first"), FOLLOWER)))


def test_what_follows_an_expired_offer_ends_with_what_that_was_about() -> None:
    expired = user(paying(status=Status.EXPIRED), triggers=(FOLLOWED, FOLLOWER))
    assert not FOLLOWED.is_open(NOW)
    assert not is_trigger_true(FOLLOWER, expired)


def test_a_follow_up_of_a_follow_up_ends_with_the_first() -> None:
    (last,) = follow_ups((FOLLOWER,), {"email": (ABSENT._replace(campaign="email"),)}, NOW, Terms())
    assert is_moment_true(last, user(triggers=(FOLLOWED, FOLLOWER)))
    clicked = answered((F.CLICKED, 1), trigger_id="first")
    assert not is_moment_true(last, user(triggers=(clicked, FOLLOWER)))
