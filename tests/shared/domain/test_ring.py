"""The ring's rows: every column has one name, and every event that the ring holds comes back from its row."""

from hypothesis import given

from shared.domain.events import Event, Profile
from shared.domain.instants import to_micros
from shared.domain.ring import (
    DIGEST,
    EVENT_ID,
    FACT,
    KEY,
    OCCURRED_AT,
    SOURCE,
    SUBSCRIPTION_ID,
    TOPIC,
    fact_of,
    from_row,
    key_of,
    key_row,
    to_row,
)
from tests.support.histories import events


@given(events(1))
def test_each_column_holds_what_its_name_says(event: Event) -> None:
    row = to_row(event)
    assert row[OCCURRED_AT] == to_micros(event.occurred_at)
    assert (row[TOPIC], row[SOURCE], row[EVENT_ID]) == event.key[1:]
    assert (row[SUBSCRIPTION_ID], row[DIGEST]) == (event.subscription_id, event.digest)
    assert (row[KEY], key_of(row), fact_of(row)) == (key_row(event.key), event.key, event.fact)
    assert (*row[KEY], row[SUBSCRIPTION_ID], row[DIGEST], *row[FACT]) == row


@given(events(1))
def test_an_event_comes_back_from_its_row_without_its_profile(event: Event) -> None:
    assert from_row(to_row(event), event.user_id) == event._replace(profile=Profile())


@given(events(1), events(2))
def test_rows_sort_as_events_do(one: Event, other: Event) -> None:
    assert (to_row(one)[KEY] < to_row(other)[KEY]) == (one.key < other.key)
