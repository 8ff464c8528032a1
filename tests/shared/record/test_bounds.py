"""Forgetting: a document that is too large loses what matters least first, and never the last subscription."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import pytest

from shared.domain.attributes import AttributeFact, Attributes
from shared.domain.events import cause_of
from shared.domain.history import RING_SIZE, History
from shared.domain.tallies import ISSUED, MAX_NAMES, WITHHELD, Tallies
from shared.record.bounds import FEW_NAMES, fit
from shared.record.codec import pack
from shared.record.user_record import MAX_TRIGGERS, UserRecord
from tests.support.histories import TERMS
from tests.support.stored_documents import Filling, documents
from tests.support.story import OFFER, day, paid

RECORDS = dict(documents())
EVERYTHING = Filling().fill(UserRecord)._replace(pending=RECORDS["lived"].pending)


def forgotten(limit: int, record: UserRecord = RECORDS["lived"]) -> UserRecord:
    return fit(record, TERMS, limit)[0].record


def test_one_subscription_is_always_kept_and_of_several_no_more_than_one_if_nothing_fits() -> None:
    several = RECORDS["lived"]._replace(history=EVERYTHING.history._replace(ring=(), base=EVERYTHING.history.head))
    assert len(several.history.head.subscriptions) > 2
    assert len(forgotten(1, several).history.head.subscriptions) == 1


def test_a_record_that_is_as_large_as_it_may_be_stays_as_it_is() -> None:
    record = RECORDS["lived"]
    packing, dropped = fit(record, TERMS, len(pack(record)))
    assert (packing.record, dropped) == (record, [])


def test_the_oldest_pending_messages_go_first_and_are_returned() -> None:
    newest = RECORDS["lived"].pending[-1]._replace(is_published=False)
    older = tuple(newest._replace(cause=f"older {number}") for number in range(3))
    record = RECORDS["lived"]._replace(pending=(*older, newest))
    packing, dropped = fit(record, TERMS, len(pack(record)) - 1)
    assert dropped == [*record.pending[: len(dropped)]]
    assert packing.record == record._replace(pending=record.pending[len(dropped) :])
    assert len(packing.blob) < len(pack(record))


def test_the_newest_pending_message_is_kept_though_nothing_else_is() -> None:
    assert forgotten(1).pending == RECORDS["lived"].pending[-1:]


@pytest.mark.parametrize("share", [0.9, 0.7, 0.5, 0.3])
def test_what_is_left_fits_and_nothing_goes_before_what_matters_less(share: float) -> None:
    bare = RECORDS["lived"]._replace(pending=RECORDS["lived"].pending[-1:])
    limit = int(share * len(pack(bare._replace(pending=()))))
    fitting = forgotten(limit, bare)
    assert len(pack(fitting._replace(pending=()))) <= limit
    ring, triggers = len(fitting.history.ring), len(fitting.triggers)
    if fitting.tallies.most_names > FEW_NAMES:
        assert ring >= RING_SIZE // 2 * 3 // 4
    if triggers < len(bare.triggers):
        assert ring == 0
    if len(fitting.attributes.facts) < len(bare.attributes.facts):
        assert triggers == 0
    if len(fitting.history.head.subscriptions) < len(bare.history.head.subscriptions):
        assert not fitting.attributes.facts


def test_a_trigger_that_is_forgotten_is_still_counted() -> None:
    issued = len(RECORDS["lived"].triggers)
    fitting = forgotten(1)
    assert fitting.triggers == ()
    (user,) = (row for row in fitting.tallies.rows if row.scope == "user")
    assert sum(count.number for count in user.counts if count.event in {ISSUED, WITHHELD}) >= issued


def full(ring: int, names: int = MAX_NAMES) -> UserRecord:
    """A record with that many events and names, 48 triggers, 4 attributes and 3 subscriptions."""
    history = History()
    for number in range(3):
        history = history.add(paid(number, end=400, sub=f"s{number}"), TERMS, ring_size=0).history
    for number in range(ring):
        told = paid(
            10 + number, sub="s0", event_id=cause_of(str(number)), payment_id=cause_of("paid", str(number))
        )
        history = history.add(told, TERMS).history
    tallies = Tallies()
    for number in range(names):
        offer = OFFER._replace(campaign_id=cause_of(str(number)), offer_id=f"o{number}", decided_at=day(number))
        tallies = tallies.plus(offer, [(ISSUED, day(number))])
    triggers = tuple(offer._replace(trigger_id=cause_of("t", str(number))) for number in range(MAX_TRIGGERS))
    facts = tuple(AttributeFact(f"a{number}", cause_of("a", str(number)), day(number), "") for number in range(4))
    return UserRecord(
        "anna", history, triggers=triggers, tallies=tallies, attributes=Attributes(facts), as_of=day(200)
    )


def sizes(record: UserRecord) -> tuple[int, int, int, int, int]:
    """The number of events in the ring, names, triggers, attributes and subscriptions."""
    facts, subscriptions = record.attributes.facts, record.history.head.subscriptions
    return (
        len(record.history.ring),
        record.tallies.most_names,
        len(record.triggers),
        len(facts),
        len(subscriptions),
    )


def ever_smaller(record: UserRecord) -> Iterator[UserRecord]:
    """The record, and what is left of it each time that it is a byte too large."""
    while True:
        yield record
        smaller = forgotten(len(pack(record)) - 1, record)
        if smaller == record:
            return
        record = smaller


def three_quarters(number: int) -> list[int]:
    """What is left of a number of things that are forgotten by the quarter, from the first step on."""
    return [number * 3 // 4, *three_quarters(number * 3 // 4)] if number else []


@pytest.mark.parametrize(("ring", "first"), [(96, [96, 72, 54, 40]), (64, [64, 48]), (48, [48])])
def test_each_step_takes_what_matters_least_and_no_more_than_is_needed(ring: int, first: list[int]) -> None:
    expected = [
        *((left, 96, 48, 4, 3) for left in first),
        *((first[-1], names, 48, 4, 3) for names in (48, 32)),
        *((left, 32, 48, 4, 3) for left in three_quarters(first[-1])),
        *((0, 32, left, 4, 3) for left in three_quarters(48)),
        *((0, 32, 0, left, 3) for left in three_quarters(4)),
        *((0, 32, 0, 0, left) for left in (2, 1)),
    ]
    steps = list(ever_smaller(full(ring)))
    assert [sizes(step) for step in steps] == expected
    for before, after in pairwise(steps):
        assert forgotten(len(pack(after)), before) == after
    assert {step.user_id for step in steps} == {"anna"}


def test_names_are_halved_but_never_to_fewer_than_32() -> None:
    names = [step.tallies.most_names for step in ever_smaller(full(0, names=71))]
    assert sorted({*names}, reverse=True) == [71, 35, 32]


@pytest.mark.parametrize(("as_of", "stays"), [(day(5), 0), (None, 1)])
def test_of_the_triggers_those_that_are_over_by_the_time_of_the_user_go_first(
    as_of: datetime | None, stays: int
) -> None:
    """A document of before has no such time: then it is that of the last decision."""
    long_id = "".join(cause_of(str(number)) for number in range(40))  # so that tallies are shorter
    long = OFFER._replace(trigger_id=long_id, expires_at=day(9))
    short = OFFER._replace(trigger_id=long_id[::-1], decided_at=day(1))
    record = UserRecord("anna", triggers=(long, short), as_of=as_of)
    assert forgotten(len(pack(record)) - 1, record).triggers == ((long, short)[stays],)


def test_messages_that_are_out_go_before_older_ones_that_may_not_be() -> None:
    newest = RECORDS["lived"].pending[-1]
    waits, out = (newest._replace(cause=cause, is_published=cause == "out") for cause in ("waits", "out"))
    record = UserRecord("anna", pending=(waits, out, newest))
    packing, dropped = fit(record, TERMS, len(pack(record)) - 1)
    assert (dropped, packing.record.pending) == ([out], (waits, newest))
    smallest, both = fit(record, TERMS, 1)
    assert (both, smallest.record.pending) == ([out, waits], (newest,))
