"""Sweeps: every user once, from where the last run stopped, with ids that are the same when repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.sweeps.pace import Pace, settles_at, wait_for
from infra.sweeps.sweep import PAGE_SIZE, Page, Scope, Sweep, carry_out, resumed_or_new
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.outbound.message import Message
from shared.domain.events import TimePassed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = Scope(("sale",))


class Killed(Exception):
    """The process was killed."""


class FakeTarget:
    """Users in memory. The call with the number `killed_at` kills the process, before or after its effect."""

    def __init__(self, users: Sequence[str]) -> None:
        self.users = sorted(users)
        self.saved: dict[str, Sweep] = {}
        self.published: list[Message] = []
        self.killed_at: int | None = None
        self.killed_after = False
        self._calls = count()

    def count(self, _scope: Scope, after: str) -> int:
        return sum(user > after for user in self.users)

    def page(self, _scope: Scope, after: str, limit: int) -> Page:
        found = [user for user in self.users if user > after][:limit]
        return Page(tuple(user for user in found if not user.startswith("x")), found[-1] if found else None)

    def load(self, key: str) -> Sweep | None:
        return self.saved.get(key)

    def save(self, key: str, sweep: Sweep) -> None:
        self._call(lambda: self.saved.__setitem__(key, sweep))

    def publish(self, messages: Sequence[Message]) -> None:
        self._call(lambda: self.published.extend(messages))

    def _call(self, act) -> None:
        is_last = next(self._calls) == self.killed_at
        if is_last and not self.killed_after:
            raise Killed
        act()
        if is_last:
            raise Killed


def run(target: FakeTarget, number: int = 7, now: datetime = NOON, size: int = 3, scope: Scope = ALL) -> Sweep:
    return carry_out(resumed_or_new(target, scope, number, now), scope, target, page_size=size)


def told(target: FakeTarget) -> list[str]:
    return [message.body["user_id"] for message in target.published]


@pytest.mark.parametrize("users", [0, 1, 2, 3, 4, 6, 7])
def test_everybody_in_the_scope_is_told_once_and_in_order(users: int) -> None:
    target = FakeTarget([f"u{number}" for number in range(users)] + ["x1", "x2", "x3", "x4"])
    ended = run(target)
    assert told(target) == [f"u{number}" for number in range(users)]
    assert (ended.published, ended.finished, target.saved[ALL.key]) == (users, True, ended)


@given(st.integers(0, 12), st.integers(0, 12), st.booleans(), st.integers(1, 5))
def test_a_run_that_was_killed_anywhere_is_resumed_and_repeats_at_most_one_page_with_the_same_ids(
    users: int, killed_at: int, killed_after: bool, size: int
) -> None:
    target = FakeTarget([f"u{number:02}" for number in range(users)])
    target.killed_at, target.killed_after = killed_at, killed_after
    try:
        run(target, size=size)
    except Killed:
        saved = target.saved.get(ALL.key)
        if saved is None or not saved.finished:
            run(target, now=NOON + timedelta(hours=1), size=size)
    assert sorted(set(told(target))) == target.users
    assert len(target.published) <= users + size
    assert len({message.data for message in target.published}) == users
    assert target.saved[ALL.key].published == users


def test_after_its_end_a_sweep_starts_anew_under_another_id() -> None:
    target = FakeTarget(["anna", "ben"])
    first, second = run(target), run(target)
    assert first.id != second.id
    assert told(target) == ["anna", "ben"] * 2
    assert len({message.message_id for message in target.published}) == 4


def test_under_another_catalog_a_sweep_starts_anew() -> None:
    """In the meantime the campaign may have offered something to users whom the sweep had passed."""
    target = FakeTarget(["anna", "ben", "cleo"])
    target.killed_at = 4  # in the second page
    with pytest.raises(Killed):
        run(target, size=1)
    unfinished = target.saved[ALL.key]
    assert (unfinished.after, unfinished.finished) == ("anna", False)
    assert resumed_or_new(target, ALL, 7, NOON) == unfinished
    assert resumed_or_new(target, ALL, 8, NOON).after == ""


def test_sweeps_of_other_scopes_have_positions_of_their_own() -> None:
    scopes = [Scope(), Scope(only_open=True), Scope(("a",)), Scope(("b",)), Scope(("a", "b"))]
    assert len({scope.key for scope in scopes}) == len(scopes)


def test_a_message_is_an_event_that_asks_for_the_catalog() -> None:
    message = Sweep("id", 1_790_000_000, NOON).message("anna")
    event = parse_event(message.topic, Delivery(message.data, message.attributes()))
    assert (event.user_id, event.occurred_at, event.fact) == ("anna", NOON, TimePassed(1_790_000_000))
    assert event.key.event_id == message.message_id
    assert Sweep("other", 1_790_000_000, NOON).message("anna").message_id != message.message_id
    assert Sweep("id", 1_790_000_000, NOON).message("ben").message_id != message.message_id


def test_the_share_of_users_done_grows_to_one() -> None:
    shares: list[float] = []
    target = FakeTarget([f"u{number}" for number in range(7)])
    carry_out(Sweep("id", 1, NOON), ALL, target, page_size=3, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


class TestPace:
    def test_is_kept_on_the_average(self) -> None:
        clock = [100.0]

        def sleep(seconds: float) -> None:
            clock[0] += seconds

        pace = Pace(50, sleep, lambda: clock[0])
        for _ in range(10):
            clock[0] += 0.25  # the time that a page takes
            pace(50)
        assert clock[0] == pytest.approx(110)

    def test_is_not_made_up_for_by_waiting_when_pages_are_slow(self) -> None:
        clock = iter(range(0, 1000, 10))
        pace = Pace(50, lambda _: pytest.fail("it is slower than the pace already"), lambda: next(clock))
        for _ in range(5):
            pace(50)

    @pytest.mark.parametrize(("per_second", "size"), [(0.1, 1), (1.5, 1), (20, 20), (10_000, PAGE_SIZE)])
    def test_a_page_is_what_a_second_allows(self, per_second: float, size: int) -> None:
        assert Pace(per_second).page_size == size


def test_functions_have_a_catalog_after_a_refresh_and_the_longest_commit() -> None:
    assert settles_at(NOON, timedelta(seconds=60), timedelta(seconds=60)) == NOON + timedelta(minutes=2)


@pytest.mark.parametrize("seconds", [0.0, 0.4, 3.0, 3.5])
def test_a_wait_lasts_as_long_as_it_says(seconds: float) -> None:
    slept: list[float] = []
    shares: list[float] = []
    wait_for(timedelta(seconds=seconds), shares.append, slept.append)
    assert sum(slept) == pytest.approx(seconds)
    assert shares == sorted(shares)
    assert (shares[-1] if shares else 1.0) == 1.0
