"""Messages about a user leave a subscription; those of others return to it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from infra.privacy.messages import messages_about
from infra.raw.erased import Erased
from infra.remote.pubsub import Received

AT = datetime(2026, 3, 1, tzinfo=UTC)
ERASED = Erased.whole("ada", AT)


class Subscription:
    """A subscription that hands out few messages at a time, and all again when they return."""

    def __init__(self, *waiting):
        self.waiting, self.out, self.pulls = list(waiting), [], 0

    def pull(self, _subscription, count):
        assert count
        self.pulls += 1
        handed, self.waiting = self.waiting[:2], self.waiting[2:]
        self.out += handed
        return handed

    def ack(self, _subscription, received):
        self.out = [each for each in self.out if each not in received]

    def release(self, _subscription, received):
        self.out = [each for each in self.out if each not in received]
        self.waiting += received

    def publish(self, *_):
        raise AssertionError


def letter(id_, user, at=AT, **more):
    data = json.dumps({"user_id": user} | more).encode()
    return Received(id_, data, {"CloudPubSubDeadLetterSourceSubscription": "payment"}, at, f"ack-{id_}")


@pytest.fixture
def waiting():
    old = "2026-02-01T00:00:00Z"
    users = ("ada", "ada2", "eve", "ada", "eve")
    return [letter(str(number), user, occurred_at=old) for number, user in enumerate(users)]


def left(subscription):
    assert subscription.out == []
    return sorted(each.message_id for each in subscription.waiting)


def test_messages_about_the_user_go_and_the_others_return(waiting):
    subscription = Subscription(*waiting)
    found = messages_about(subscription, "hold", "dead-letter", ERASED, keep=False)
    assert [each.message_id for each in found] == ["0", "3"]
    assert left(subscription) == ["1", "2", "4"]
    assert messages_about(subscription, "hold", "dead-letter", ERASED, keep=False) == []


def test_all_return_where_they_are_only_looked_at_or_something_fails(waiting, monkeypatch):
    subscription = Subscription(*waiting)
    assert len(messages_about(subscription, "hold", "dead-letter", ERASED)) == 2
    assert left(subscription) == ["0", "1", "2", "3", "4"]
    monkeypatch.setattr(Erased, "covers", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        messages_about(subscription, "hold", "dead-letter", ERASED, keep=False)
    assert left(subscription) == ["0", "1", "2", "3", "4"]


def test_what_is_handed_out_twice_ends_the_pulls():
    again = letter("1", "ada")
    subscription = Subscription(*[again] * 9)
    messages_about(subscription, "hold", "dead-letter", ERASED)
    assert subscription.pulls == 3


def test_the_time_of_publication_is_told_by_the_clock_of_the_functions():
    day = timedelta(days=1)
    without_time = letter("1", "ada", AT - day)
    for ahead, count in ((timedelta(0), 1), (2 * day, 0)):
        found = messages_about(Subscription(without_time), "hold", "dead-letter", ERASED, ahead=ahead)
        assert len(found) == count
