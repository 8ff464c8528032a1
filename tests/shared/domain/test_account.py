"""Several subscriptions of one user: each folds by itself, and the best determines the user's status."""

import pytest

from shared.domain.account import MAX_SUBSCRIPTIONS, Account
from shared.domain.events import Event
from shared.domain.subscription import Status, Subscription
from tests.support.story import Story, after, awaited, cancelled, day, failed, paid, paused, refunded, trial


def test_an_event_without_subscription_id_is_about_main() -> None:
    assert after(paid(0)).account(1).best.id == "main"


def test_each_folds_by_itself() -> None:
    story = after(paid(0, sub="a"), trial(1, sub="b"))
    assert story.sub(2, "a") == after(paid(0, sub="a")).sub(2, "a")
    assert story.sub(2, "b").status is Status.TRIALING


def test_the_best_status_is_the_users() -> None:
    order = ["active", "trialing", "grace", "paused", "on_hold", "pending", "expired", "revoked", "none"]
    assert [status.value for status in Status] == order
    subs = tuple(Subscription(f"s{9 - n}", status=Status(name)) for n, name in enumerate(order))
    for worst in range(len(subs)):
        assert Account(subs[worst:]).best is subs[worst]


def test_among_equal_statuses_the_later_period_end_wins_then_the_id() -> None:
    story = after(paid(0, end=30, sub="a"), paid(0, end=60, sub="b"), paid(0, end=60, sub="c"))
    assert story.account(1).best.id == "b"


@pytest.mark.parametrize(
    "end",
    [failed(31, start=30, final=True, sub="old"), cancelled(31, sub="old"), refunded(31, start=0, sub="old")],
)
def test_the_end_of_an_old_one_takes_nothing_from_a_paying_user(end: Event) -> None:
    story = after(paid(0, sub="old"), paid(20, sub="new"), end)
    assert story.status(32) is Status.ACTIVE


def test_trial_used_is_the_users() -> None:
    story = after(trial(0, sub="a"), paid(1, sub="b"))
    assert story.account(2).trial_used
    assert not after(paid(1)).account(2).trial_used


def test_a_revoked_one_takes_nothing_from_a_paying_user() -> None:
    story = after(paid(0, sub="old"), paid(1, sub="new"), refunded(2, start=0, sub="old"))
    assert (story.status(3), story.account(3).best.id) == (Status.ACTIVE, "new")
    assert story.sub(3, "old").status is Status.REVOKED


def _eight(*first: Event) -> Story:
    return after(*first, *(paid(1 + n / 10, sub=f"s{n}") for n in range(MAX_SUBSCRIPTIONS - len(first))))


def _ids(story: Story) -> list[str]:
    return [sub.id for sub in story.history.head.subscriptions]


def test_at_most_eight_are_kept_and_the_oldest_expired_is_evicted_first() -> None:
    story = _eight(paid(0, sub="x"), paid(0, sub="y")).then(cancelled(2, sub="y"), cancelled(3, sub="x"))
    assert len(_ids(story)) == MAX_SUBSCRIPTIONS
    story = story.then(paid(4, sub="z"))
    assert "y" not in _ids(story)
    assert {"x", "z"} <= set(_ids(story))


def test_one_that_has_expired_by_time_is_evicted_before_a_live_one() -> None:
    story = _eight(awaited(1, sub="x")).then(paid(20, sub="z"))
    assert "x" not in _ids(story)


def test_nine_abandoned_checkouts_do_not_evict_the_paid_one() -> None:
    story = after(paid(0, sub="paid"), *(awaited(20 + n / 10, sub=f"cart{n}") for n in range(9)))
    assert story.status(21) is Status.ACTIVE


def test_an_event_of_a_known_one_evicts_none() -> None:
    story = _eight(paid(0, sub="x"))
    assert _ids(story.then(paid(30, sub="x"))) == _ids(story)


def test_an_unknown_one_is_empty() -> None:
    assert after(paid(0)).sub(1, "other") == Subscription("other")


def test_a_worse_status_never_wins_by_its_period() -> None:
    story = after(paid(0, sub="a"), paid(0, end=400, sub="b"), paused(1, effective=2, sub="b"))
    assert story.account(3).best.id == "a"
    assert story.sub(3, "b").period_end == day(400)


def test_who_has_used_a_trial_has_used_it_when_its_subscription_is_forgotten() -> None:
    story = _eight(trial(0, sub="x")).then(cancelled(2, sub="x"), paid(4, sub="z"))
    assert "x" not in _ids(story)
    assert story.history.head.trial_used
