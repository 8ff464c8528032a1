"""Triggers: the feedback merged into them in any order of arrival, and the states that follow from it."""

import pytest

from shared.domain import triggers
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind
from shared.domain.triggers import Trigger, TriggerState, trigger_state
from tests.support.story import OFFER, day, event


def given(kind: FeedbackKind, on: float, trigger_id: str = "t1") -> Event:
    return event(on, "trigger-feedback", FeedbackGiven(trigger_id, kind))


def noted(*events: Event) -> tuple[Trigger, ...]:
    """The offer with the feedback of these events."""
    known: tuple[Trigger, ...] = (OFFER,)
    for event_ in events:
        known, _ = triggers.record_feedback(known, event_, event_.fact)
    return known


class TestFeedback:
    def test_the_first_time_of_each_kind_counts(self) -> None:
        events = [given(FeedbackKind.CLICKED, on) for on in (3, 1, 2)]
        assert [report.at for report in noted(*events)[0].feedback] == [day(1)]

    def test_the_order_of_arrival_does_not_matter(self) -> None:
        events = [given(kind, on) for on, kind in enumerate([*FeedbackKind, *FeedbackKind])]
        assert noted(*events) == noted(*reversed(events))

    def test_one_that_comes_again_is_a_duplicate(self) -> None:
        one = given(FeedbackKind.CLICKED, 1)
        assert triggers.record_feedback(noted(one), one, one.fact) == (noted(one), Arrival.DUPLICATE)

    def test_on_an_unknown_trigger_is_rejected(self) -> None:
        one = given(FeedbackKind.CLICKED, 1, trigger_id="t2")
        with pytest.raises(Rejected, match=r"^unknown_trigger: trigger_id: expected .*, found one that is not"):
            triggers.record_feedback((OFFER,), one, one.fact)

    @pytest.mark.parametrize("kind", sorted(set(FeedbackKind) - {FeedbackKind.IMPRESSION}))
    def test_that_comes_later_adds_nothing_but_an_impression(self, kind: FeedbackKind) -> None:
        first, second = given(kind, 1), given(kind, 2)
        assert triggers.record_feedback(noted(first), second, second.fact) == (noted(first), Arrival.DUPLICATE)

    def test_that_was_never_given_has_no_time(self) -> None:
        (shown,) = noted(given(FeedbackKind.IMPRESSION, 1))
        assert (shown.reported(FeedbackKind.IMPRESSION), shown.reported(FeedbackKind.CLICKED)) == (day(1), None)

    def test_on_what_the_user_was_not_given_is_rejected(self) -> None:
        one = given(FeedbackKind.CLICKED, 1)
        with pytest.raises(Rejected, match="unknown_trigger"):
            triggers.record_feedback((OFFER._replace(withheld="holdout"),), one, one.fact)

    def test_an_id_with_other_content_is_rejected(self) -> None:
        one = given(FeedbackKind.CLICKED, 1)
        with pytest.raises(Rejected, match="id_reused"):
            triggers.record_feedback(noted(one), one._replace(digest="other"), one.fact)


class TestOldFeedback:
    def test_is_kept_without_the_event_that_gave_it(self) -> None:
        reports = noted(given(FeedbackKind.DELIVERED, 1), given(FeedbackKind.CLICKED, 9))
        (kept,) = triggers.forget_feedback_events(reports, day(5))
        assert [(report.kind, report.at, bool(report.cause)) for report in kept.feedback] == [
            (FeedbackKind.CLICKED, day(9), True),
            (FeedbackKind.DELIVERED, day(1), False),
        ]

    def test_is_older_than_the_given_instant(self) -> None:
        known = noted(given(FeedbackKind.DELIVERED, 5), given(FeedbackKind.CLICKED, 4.9))
        (kept,) = triggers.forget_feedback_events(known, day(5))
        assert [bool(report.cause) for report in kept.feedback] == [False, True]

    def test_that_is_redelivered_is_a_duplicate(self) -> None:
        one = given(FeedbackKind.DELIVERED, 1)
        kept = triggers.forget_feedback_events(noted(one), day(5))
        assert triggers.record_feedback(kept, one, one.fact) == (kept, Arrival.DUPLICATE)


class TestAnOpenTrigger:
    def test_is_open_until_it_expires_or_is_revoked(self) -> None:
        assert OFFER.is_open(day(2.9))
        assert not OFFER.is_open(day(3))
        assert not OFFER._replace(revoked=True).is_open(day(1))


class TestTriggerState:
    """A trigger's state: the user's answer, else that it is over, else the furthest feedback."""

    K, J = FeedbackKind, TriggerState

    @pytest.mark.parametrize(
        ("kinds", "while_open", "expired", "revoked"),
        [
            ([], J.ISSUED, J.EXPIRED, J.REVOKED),
            ([K.DELIVERED], J.DELIVERED, J.EXPIRED, J.REVOKED),
            ([K.DELIVERED, K.IMPRESSION], J.IMPRESSION, J.EXPIRED, J.REVOKED),
            ([K.IMPRESSION, K.CLICKED], J.CLICKED, J.EXPIRED, J.REVOKED),
            ([K.DISMISSED], J.DISMISSED, J.DISMISSED, J.DISMISSED),
            ([K.CLICKED, K.DISMISSED], J.DISMISSED, J.DISMISSED, J.DISMISSED),
            ([K.DISMISSED, K.ACCEPTED], J.ACCEPTED, J.ACCEPTED, J.ACCEPTED),
            ([K.ACCEPTED, K.CONVERTED], J.CONVERTED, J.CONVERTED, J.CONVERTED),
            ([*K], J.CONVERTED, J.CONVERTED, J.CONVERTED),
        ],
    )
    def test_is_a_table(self, kinds: list[K], while_open: J, expired: J, revoked: J) -> None:
        for order in (kinds, kinds[::-1]):
            (offer,) = noted(*(given(kind, 1 + n / 10) for n, kind in enumerate(order)))
            assert trigger_state(offer, day(2)) is while_open
            assert trigger_state(offer, day(3)) is expired
            assert trigger_state(offer._replace(revoked=True), day(2)) is revoked

    def test_is_withheld_for_good_if_it_was_not_given(self) -> None:
        withheld = OFFER._replace(withheld="holdout")
        states = [trigger_state(one, day(at)) for one in (withheld, withheld.revoke("plan")) for at in (2, 3)]
        assert {*states} == {TriggerState.WITHHELD}

    def test_has_a_name_for_every_kind_of_feedback(self) -> None:
        assert set(FeedbackKind) < set(TriggerState)
