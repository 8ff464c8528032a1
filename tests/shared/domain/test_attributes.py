"""Attributes, merged in any order of arrival: the latest value of each name wins, the oldest names go first."""

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.attributes import MAX_ATTRIBUTES, MAX_BYTES, NO_ATTRIBUTES, AttributeFact, Attributes, merge
from shared.domain.events import Event
from tests.support.story import day, paid

LARGEST = 64 + 8 * 32 * 4
"""The bytes of the largest attribute that the contract lets in: less than fit together."""


def told(on: float, event_id: str | None = None, **values: Any) -> Event:
    return paid(on, event_id=event_id)._replace(attributes=tuple(values.items()))


def merged(*events: Event, known: Attributes = NO_ATTRIBUTES) -> Attributes:
    return reduce(merge, events, known)


def latest(events: list[Event]) -> list[AttributeFact]:
    """The latest fact of each name, the newest first: what there would be without bounds."""
    facts = [
        AttributeFact(name, value, one.occurred_at, one.key.cause)
        for one in events
        for name, value in one.attributes
    ]
    newest = {fact.name: fact for fact in sorted(facts, key=lambda fact: fact.place)}
    return sorted(newest.values(), key=lambda fact: fact.place, reverse=True)


def test_the_latest_value_of_each_name_wins_by_occurred_at() -> None:
    events = [told(2, genre="jazz"), told(1, genre="pop", level=3), told(0, level=1, likes=["a", 2])]
    assert merged(*events).values == {"genre": "jazz", "level": 3, "likes": ["a", 2]}
    assert merged(*events) == merged(*reversed(events))


def test_a_name_that_is_not_given_stays() -> None:
    assert merged(told(0, genre="jazz"), told(1, level=1)).values == {"genre": "jazz", "level": 1}


def test_an_event_without_attributes_changes_nothing() -> None:
    known = merged(told(0, genre="jazz"))
    assert merge(known, paid(1)) is known


def test_a_duplicate_changes_nothing() -> None:
    first = told(0, genre=["jazz"], level=None)
    known = merged(first, told(1, likes=True))
    assert merge(known, first) is known


def test_null_removes_an_attribute_and_keeps_older_values_away() -> None:
    events = [told(0, genre="jazz"), told(1, genre=None)]
    assert merged(*events).values == merged(*reversed(events)).values == {}
    assert merged(*events, told(2, genre="pop")).values == {"genre": "pop"}


def test_of_33_attributes_the_oldest_goes_and_does_not_return() -> None:
    events = [told(number, **{f"a{number}": number}) for number in range(MAX_ATTRIBUTES + 1)]
    full = merged(*events)
    assert sorted(full.values) == sorted(f"a{number}" for number in range(1, MAX_ATTRIBUTES + 1))
    assert full.floor == (day(0), events[0].key.cause, "a0")
    assert merge(full, events[0]) is full
    assert merge(full, told(-1, a40=0)) is full


def test_an_event_may_bring_more_attributes_than_fit() -> None:
    values = {f"a{number:02}": 1 for number in range(40)}
    assert len(merged(told(0, **values)).values) == MAX_ATTRIBUTES


def test_text_counts_in_bytes_and_the_oldest_go_until_the_rest_fits() -> None:
    events = [told(number, **{f"a{number:02}": "ö" * 32}) for number in range(30)]
    assert [*merged(*events).values] == [f"a{number:02}" for number in range(30 - MAX_BYTES // 67, 30)]


def test_a_value_that_was_dropped_is_not_replaced_by_an_older_one_that_would_fit() -> None:
    """The latest value of `x` is dropped for its size. An older and smaller one is no longer true."""
    long = ["ö" * 32] * 8
    events = [told(5, x=long), told(6, y=long), told(7, z=long)]
    full = merged(*events)
    assert "x" not in full.values
    assert merge(full, told(4, x=1)) is full


def test_one_attribute_always_fits() -> None:
    assert LARGEST < MAX_BYTES


names = st.sampled_from([f"a{number:02}" for number in range(36)])
instants = st.integers(0, 30)


def many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Event]]:
    given_values = st.lists(st.tuples(instants, st.dictionaries(names, values, max_size=20)), max_size=12)
    return given_values.map(
        lambda drawn: [told(on, f"e{number}", **each) for number, (on, each) in enumerate(drawn)]
    )


small = many(st.sampled_from([1, True, "x", None, ["y"]]))
of_one_size = many(st.sampled_from(["ö" * 31, "a" * 62, ["b" * 30, "c" * 32]]))
of_all_sizes = many(st.sampled_from([None, 1, "", "ö" * 32, ["ö" * 32] * 8, ["a", 1]]))


@given(st.data(), st.sampled_from([small, of_one_size]))
def test_in_every_order_the_newest_that_fit_are_kept(
    data: st.DataObject, some: st.SearchStrategy[list[Event]]
) -> None:
    """With values of constant size, and by number alone, the set of events decides."""
    events = data.draw(some)
    again = data.draw(st.permutations([*events, *events]))
    one, other = merged(*events), merged(*again)
    assert one == other
    newest = latest(events)
    kept = sorted(one.facts, key=lambda fact: fact.place, reverse=True)
    assert kept == newest[: len(kept)]
    beyond = newest[len(kept) : len(kept) + 1]
    assert not beyond or len(kept) == MAX_ATTRIBUTES or sum(fact.size for fact in (*kept, *beyond)) > MAX_BYTES


@given(st.data())
def test_whatever_the_sizes_no_kept_value_is_out_of_date_or_older_than_one_that_was_dropped(
    data: st.DataObject,
) -> None:
    events = data.draw(st.permutations(data.draw(of_all_sizes)))
    found = merged(*events)
    newest = latest(events)
    assert [*found.facts] == sorted(newest[: len(found.facts)], key=lambda fact: fact.name)
    assert len(found.facts) <= MAX_ATTRIBUTES
    assert sum(fact.size for fact in found.facts) <= MAX_BYTES
    assert merged(*data.draw(st.permutations(events)), known=found) == found


def test_what_was_dropped_stays_so_when_it_is_redelivered_though_there_is_room_again() -> None:
    dropped = told(0, a="x" * 1000)
    known = merged(dropped, told(1, b="y" * 1000), told(2, b="y"))
    assert known.values == {"b": "y"}
    assert merge(known, dropped) is known


def test_a_truth_takes_less_room_than_a_number() -> None:
    sizes = [AttributeFact("a", value, day(0), "").size for value in (None, True, 7)]
    assert sizes == sorted({*sizes})
