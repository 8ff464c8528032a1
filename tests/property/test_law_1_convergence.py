"""Law 1, convergence: the same events and `now` give the same state, whatever their order and duplicates."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from shared.decisioning.catalog import empty_catalog
from shared.domain.account import Account
from shared.domain.events import Event
from shared.domain.history import History, fold
from shared.domain.ring import from_row
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.user_record import UserRecord
from tests.support.histories import DAY, START, TERMS, USER, delivered, deliveries, histories, in_order, instants
from tests.support.lives import lives

some_history = histories() | lives()


@given(st.data())
def test_every_order_and_duplication_gives_the_same_account(data: st.DataObject) -> None:
    events = data.draw(some_history)
    one, other = delivered(in_order(events)), delivered(data.draw(deliveries(events)))
    now = data.draw(instants)
    assert one.at(now, TERMS)[0] == other.at(now, TERMS)[0]
    assert one == other


@given(st.data())
def test_every_order_and_duplication_gives_the_same_profile_and_attributes(data: st.DataObject) -> None:
    """Five names of a few bytes: the bounds are the subject of `test_attributes`."""
    events = data.draw(histories(behaving=True))
    one, other = in_order(events), data.draw(deliveries(events))
    rules, now = Rules(empty_catalog(), TERMS), START + 365 * DAY

    def told(known: UserRecord, event: Event) -> UserRecord:
        return process(known, event, now, rules).record

    first, second = reduce(told, one, UserRecord(USER)), reduce(told, other, UserRecord(USER))
    assert first.attributes == second.attributes
    assert first.profile == second.profile


@given(st.data())
def test_a_small_ring_gives_what_a_large_one_gives_while_nothing_comes_late(data: st.DataObject) -> None:
    events = in_order(data.draw(some_history))
    assert delivered(events, ring_size=data.draw(st.integers(0, 4))).head == delivered(events).head


@given(st.data())
def test_every_order_gives_the_same_as_long_as_nothing_is_older_than_the_base(data: st.DataObject) -> None:
    """Blocks of three events in any order, each block newer than the block before, and a ring of six."""
    events = in_order(data.draw(some_history))
    shuffled = []
    for start in range(0, len(events), 3):
        shuffled += data.draw(st.permutations(events[start : start + 3]))
    assert delivered(shuffled, ring_size=6).head == delivered(events).head


@given(st.data())
def test_the_ring_may_shrink_at_any_time(data: st.DataObject) -> None:
    """A document that is too large moves the oldest events of its ring to the base; the state stays the same."""
    history = delivered(data.draw(some_history))
    shrunk = history.shrink(data.draw(st.integers(0, 5)), TERMS, USER)
    assert shrunk.head == history.head
    assert shrunk.at(START, TERMS) == history.at(START, TERMS)


@given(st.data())
def test_the_head_is_the_fold_of_the_ring_onto_the_base(data: st.DataObject) -> None:
    history = delivered(data.draw(some_history), ring_size=5)
    account = history.base
    for row in history.ring:
        account, _ = fold(account, from_row(row, USER), TERMS)
    assert account == history.head


def test_an_empty_history_is_an_empty_account() -> None:
    assert History().at(START, TERMS) == (Account(), ())
