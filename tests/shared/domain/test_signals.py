"""Behavioural signals, merged in any order of arrival: the newest of each kind are kept."""

import pytest

from shared.domain import signals
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import BEHAVIOURAL, Event, Signal
from tests.support.story import after, day, paid, signal


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

    def test_is_kept_with_its_strength(self) -> None:
        assert [kept.strength for kept in seen(quiet(0), signal(Signal.SUPPORT_CONTACT, 1))] == [0.5, None]

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

    @pytest.mark.parametrize("kind", sorted(BEHAVIOURAL))
    def test_each_kind_is_kept_by_itself(self, kind: Signal) -> None:
        many = [quiet(0), *(signal(kind, on) for on in range(1, 3))]
        assert [kept.kind for kept in seen(*many)].count(kind) == (3 if kind is Signal.INACTIVITY else 2)

    @pytest.mark.parametrize("kind", sorted(BEHAVIOURAL))
    def test_none_changes_a_subscription(self, kind: Signal) -> None:
        """Such a signal is merged outside the ring; folded by mistake, it would still change nothing."""
        story = after(paid(0))
        assert story.then(signal(kind, 3)).sub(40) == story.sub(40)


def test_signals_about_the_payment_and_the_refund_only_describe_the_user() -> None:
    told = {"payment_action_required", "payment_method_updated", "refund_declined", "consent_rescinded"}
    assert told <= BEHAVIOURAL
