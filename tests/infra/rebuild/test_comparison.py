"""A check tells documents that are as the log says from those that are not, and says in what they differ."""

from collections import Counter
from typing import Any

import pytest

from infra.rebuild.comparison import Compared, Verdict, compared
from infra.rebuild.rebuilt import rebuilt
from infra.rebuild.work import Made
from shared.adapters.packed_records import document_of
from shared.domain.subscription import Status
from shared.ports import Stored
from shared.record.codec import Packing, pack
from shared.record.user_record import Fired, UserRecord
from tests.support import replays
from tests.support.catalogs import CATALOGS
from tests.support.histories import DAY, START, TERMS, USER
from tests.support.landed_lives import LandedLife

NONE = Stored(None, None)


def lived(payments: int = 3, days: float = 30) -> LandedLife:
    """A user who pays every so many days, and then lets the subscription lapse."""
    life = LandedLife(CATALOGS["everything"])
    for number in range(payments):
        life.deliver(replays.payment(USER, days * number, event_id=f"p{number}"), START + days * number * DAY)
    life.go_on(START + (days * payments + 40) * DAY)
    return life


def made(life: LandedLife) -> Made:
    again = rebuilt(USER, life.logged, life.rules)
    document = document_of(Packing(again.record)) if again.record else None
    return Made(USER, document, Counter(again.counts), again.gaps, again.is_out_of_order)


def check(life: LandedLife, living: UserRecord) -> Compared:
    return compared(Stored(pack(living), 1), made(life), TERMS)


def test_a_living_document_is_equal() -> None:
    life = lived()
    assert check(life, life.record) == Compared(USER, Verdict.EQUAL, {}, "")


def _with_head(record: UserRecord, **changes: Any) -> UserRecord:
    head = record.history.head
    (sub,) = head.subscriptions
    return record._replace(history=record.history._replace(head=head.put(sub._replace(**changes))))


@pytest.mark.parametrize(
    ("damage", "paths"),
    [
        (lambda record: _with_head(record, status=Status.REVOKED), {"ledger.main.status"}),
        (lambda record: record._replace(triggers=record.triggers[1:]), {"triggers."}),
        (lambda record: record._replace(fired=record.fired.plus(((START, "lapsed/main/9/g"),))), {"decided."}),
        (lambda record: record._replace(announced=()), {"announced.main.status"}),
        (lambda record: record._replace(next_due_at=START), {"next_due_at"}),
        (lambda record: record._replace(sequence=record.sequence + 1), {"sequence"}),
        (lambda record: record._replace(raised=("risk",)), {"raised.risk"}),
    ],
)
def test_a_document_that_says_something_else_differs_and_the_facts_are_named(damage, paths) -> None:
    life = lived()
    found = check(life, damage(life.record))
    assert found.verdict is Verdict.DIFFERING
    for path in paths:
        assert any(field.startswith(path) for field in found.fields)


def test_both_values_of_a_fact_are_told() -> None:
    life = lived()
    found = check(life, life.record._replace(next_due_at=START))
    assert found.fields == {"next_due_at": (START, life.record.next_due_at)}


def test_what_a_rebuild_restores_too_much_of_is_no_difference() -> None:
    life = lived()
    forgetful = life.record._replace(fired=Fired(life.record.fired.causes[1:]), as_of=None, pending=())
    assert check(life, forgetful).verdict is Verdict.EQUAL


@pytest.mark.parametrize("blob", [b"", b"garbage", pack(UserRecord(USER)._replace(sequence="7"))])  # type: ignore[arg-type]
def test_a_document_that_cannot_be_read_is_unreadable(blob: bytes) -> None:
    found = compared(Stored(blob, 1), made(lived()), TERMS)
    assert found.verdict is Verdict.UNREADABLE
    assert found.note


def test_a_missing_document_and_one_without_events_are_told_apart() -> None:
    life, nothing = lived(), LandedLife(CATALOGS["everything"])
    assert compared(NONE, made(life), TERMS).verdict is Verdict.NO_DOCUMENT
    assert compared(NONE, made(nothing), TERMS).verdict is Verdict.EQUAL
    assert compared(Stored(pack(life.record), 1), made(nothing), TERMS).verdict is Verdict.NO_EVENTS


def bounded() -> tuple[LandedLife, LandedLife]:
    """Two lives of the same 120 events, one of which reached the second life later than the ring remembers.

    The signal turned renewal off in the first life, and is forgotten in the second.
    """
    payments = [replays.payment(USER, days, event_id=f"p{days}") for days in range(120)]
    signal = replays.signal(USER, 0.5, "cancelled", "late")
    lives = LandedLife(CATALOGS["default"]), LandedLife(CATALOGS["default"])
    for life, place in zip(lives, (50, 119), strict=True):
        lines = [*payments[:place], signal, *payments[place:]]
        at = START
        for line in lines:
            at = max(at, replays.datetime.fromisoformat(line["data"]["occurred_at"]))
            life.deliver(line, at)
    return lives


def test_a_document_that_got_an_event_later_than_its_ring_remembers_is_late() -> None:
    one, other = bounded()
    assert one.record.history.mark
    assert one.record.history.head != other.record.history.head
    living = one.record._replace(history=other.record.history)
    found = check(one, living)
    assert found.verdict is Verdict.LATE
    assert found.fields
    spoilt = _with_head(living, status=Status.REVOKED)
    assert check(one, spoilt).verdict is Verdict.DIFFERING


def erasure(days: float) -> dict[str, Any]:
    return replays.event("user-erasure", USER, days, f"erasure-{days}")


def test_a_tombstone_is_as_the_log_says_also_once_its_rows_are_gone() -> None:
    life, nobody = lived(), LandedLife(CATALOGS["everything"])
    before = life.record
    life.deliver(erasure(200), START + 200 * DAY)
    assert life.record.is_tombstone
    stored = Stored(None, 1, life.record.erased_at)
    assert compared(stored, made(life), TERMS).verdict is Verdict.EQUAL
    assert compared(stored, made(nobody), TERMS).verdict is Verdict.EQUAL
    assert compared(stored, made(lived()), TERMS).verdict is Verdict.DIFFERING
    assert compared(Stored(pack(before), 1), made(life), TERMS).verdict is Verdict.DIFFERING
