"""Forgetting: a document that is too large loses what matters least first, and never the last subscription."""

import pytest

from shared.domain.history import RING_SIZE
from shared.domain.tallies import ISSUED, WITHHELD
from shared.record.bounds import FEW_NAMES, fit
from shared.record.codec import pack
from shared.record.user_record import UserRecord
from tests.support.histories import TERMS
from tests.support.stored_documents import Filling, documents

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
