"""Facts merged outside the ring, in any order: behavioural signals, profile, feedback on triggers."""

import pytest

from shared.domain import profiles, signals, triggers
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, FeedbackGiven, FeedbackKind, Profile, Signal
from shared.domain.moments import MomentKind
from shared.domain.triggers import Trigger, TriggerState, trigger_state
from tests.shared.domain.story import day, event, paid, signal


def quiet(on: float, event_id: str | None = None) -> Event:
    return signal(Signal.INACTIVITY, on, strength=0.5, event_id=event_id)


def seen(*events: Event) -> tuple[signals.BehaviouralSignal, ...]:
    known: tuple[signals.BehaviouralSignal, ...] = ()
    for event_ in events:
        known, _ = signals.record_signal(known, event_, event_.fact)
    return known


class TestBehaviour:
    def test_the_newest_8_of_a_kind_are_kept(self) -> None:
        many = [quiet(on) for on in range(12)]
        assert [kept.occurred_at for kept in seen(*many)] == [day(on) for on in range(4, 12)]

    def test_the_order_of_arrival_does_not_matter(self) -> None:
        many = [quiet(on) for on in range(12)] + [signal(Signal.SUPPORT_CONTACT, on) for on in range(3)]
        assert seen(*many) == seen(*reversed(many))

    def test_one_that_comes_again_is_a_duplicate(self) -> None:
        one = quiet(0)
        assert signals.record_signal(seen(one), one, one.fact) == (seen(one), Arrival.DUPLICATE)

    def test_one_older_than_the_newest_8_is_late(self) -> None:
        known, old = seen(*(quiet(on) for on in range(1, 9))), quiet(0)
        assert signals.record_signal(known, old, old.fact) == (known, Arrival.LATE)

    def test_an_id_with_other_content_is_rejected(self) -> None:
        one = quiet(0)
        with pytest.raises(Rejected, match="id_reused"):
            signals.record_signal(seen(one), one._replace(digest="other"), one.fact)


class TestProfile:
    def given(self, on: float, **facts: object) -> Event:
        return paid(on)._replace(profile=Profile(**facts))

    def merged(self, *events: Event) -> Profile:
        known: tuple[profiles.ProfileFact, ...] = ()
        for event_ in events:
            known = profiles.merge(known, event_)
        return profiles.profile(known)

    def test_the_latest_value_of_each_field_wins_by_occurred_at(self) -> None:
        events = [
            self.given(2, country="DE"),
            self.given(1, country="SE", student=True),
            self.given(0, student=False),
        ]
        assert self.merged(*events) == self.merged(*reversed(events)) == Profile(country="DE", student=True)

    def test_a_field_that_is_not_given_stays(self) -> None:
        assert self.merged(self.given(0, locale="de-DE"), self.given(1, country="DE")).locale == "de-DE"

    def test_an_event_without_profile_changes_nothing(self) -> None:
        known = profiles.merge((), self.given(0, country="DE"))
        assert profiles.merge(known, paid(1)) is known


OFFER = Trigger("t1", "c", "o", "p", "email", MomentKind.RENEWED, "main", "cause", day(0), expires_at=day(3))


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
        with pytest.raises(Rejected, match="unknown_trigger"):
            triggers.record_feedback((OFFER,), one, one.fact)

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

    def test_has_a_name_for_every_kind_of_feedback(self) -> None:
        assert set(FeedbackKind) < set(TriggerState)
