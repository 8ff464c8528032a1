"""Bounds: over 10,000 events of any kind and spacing, the document stays small and each event cheap."""

from collections.abc import Iterator
from functools import cache
from itertools import count

import pytest

import shared.domain.history
from shared.domain.account import MAX_SUBSCRIPTIONS
from shared.domain.attributes import MAX_ATTRIBUTES, MAX_BYTES
from shared.domain.errors import Rejected
from shared.domain.events import BEHAVIOURAL, Event, Key, PaymentOutcome, PaymentReported
from shared.domain.history import RING_SIZE, History
from shared.domain.impressions import MAX_IMPRESSIONS
from shared.domain.ledger import MAX_GRANTS, MAX_PAST
from shared.domain.tallies import MAX_NAMES
from shared.domain.verdicts import MAX_WAITING
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.bounds import MAX_BLOB, fit
from shared.record.codec import pack
from shared.record.user_record import MAX_FIRED, MAX_TRIGGERS, UserRecord
from tests.support.catalogs import CATALOGS
from tests.support.floods import Adversarial, Flood, Ordinary
from tests.support.histories import DAY, START, TERMS, USER

LIMIT = 17 * 1024
EVENTS = 10_000


def flooded(flood: Flood, catalog: str, number: int, step: int = 1) -> Iterator[tuple[UserRecord, bytes]]:
    """The record and its blob, as committed, after every `step` events."""
    policy, record = Rules(CATALOGS[catalog], TERMS), UserRecord(USER)
    for done in range(1, number + 1):
        try:
            record = process(record, flood.next(record), flood.now, policy).record
        except Rejected:
            continue
        if done % step == 0:
            packing, _ = fit(record, TERMS)
            record = packing.record
            yield record, packing.blob


@cache
def after_ten_thousand(kind: type[Flood]) -> list[tuple[UserRecord, bytes]]:
    """The states committed on the way: dense, daily, in bursts by turns. To save time, one event in 25 commits."""
    return [*flooded(kind(seed=1), "default", EVENTS, step=25)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Ordinary, Adversarial])
def test_after_ten_thousand_events_the_document_is_small(kind: type[Flood]) -> None:
    assert max(len(blob) for _, blob in after_ten_thousand(kind)) < LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Ordinary, Adversarial])
def test_the_last_events_write_no_more_than_the_first_hundreds(kind: type[Flood]) -> None:
    sizes = [len(blob) for _, blob in after_ten_thousand(kind)]
    assert max(sizes[-50:]) <= 1.2 * max(sizes[20:70])


@pytest.mark.slow
def test_offers_and_feedback_do_not_crowd_out_the_ring() -> None:
    """A user with ids of ordinary length keeps a good part of the ring, however many events there are."""
    record, _ = after_ten_thousand(Ordinary)[-1]
    assert len(record.triggers) == MAX_TRIGGERS
    assert len(record.history.ring) >= RING_SIZE // 8


@pytest.mark.parametrize("catalog", ["everything", "timed"])
@pytest.mark.parametrize("kind", [Ordinary, Adversarial])
def test_an_offer_at_every_moment_keeps_the_document_small(kind: type[Flood], catalog: str) -> None:
    for record, blob in flooded(kind(seed=2), catalog, 500):
        assert len(blob) < LIMIT
        assert len(pack(record._replace(pending=()))) <= MAX_BLOB


@pytest.mark.parametrize("kind", [Ordinary, Adversarial])
def test_every_collection_has_a_bound(kind: type[Flood]) -> None:
    for record, _ in flooded(kind(seed=3), "everything", 1200, step=20):
        assert len(record.history.ring) <= RING_SIZE
        assert len(record.triggers) <= MAX_TRIGGERS
        assert sum(len(trigger.impressions) for trigger in record.triggers) <= MAX_IMPRESSIONS
        assert record.tallies.most_names <= MAX_NAMES
        assert len(record.fired.causes) <= MAX_FIRED
        assert len(record.signals) <= 8 * len(BEHAVIOURAL)
        assert len(record.profile) <= 4
        assert len(record.attributes.facts) <= MAX_ATTRIBUTES
        assert sum(fact.size for fact in record.attributes.facts) <= MAX_BYTES
        for account in (record.history.base, record.history.head):
            assert len(account.subscriptions) <= MAX_SUBSCRIPTIONS
            for sub in account.subscriptions:
                assert len(sub.grants) <= MAX_GRANTS
                assert len(sub.past) <= MAX_PAST
                assert len(sub.waiting) <= MAX_WAITING


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A log of every fold, and of every row of the ring that is decoded for a fold."""
    done: list[str] = []
    for name in ("fold", "from_row"):
        real = getattr(shared.domain.history, name)
        monkeypatch.setattr(
            shared.domain.history, name, lambda *args, real=real, name=name: (done.append(name), real(*args))[1]
        )
    return done


def payments() -> Iterator[Event]:
    """One payment a day, each for the next day."""
    for number in count():
        at = START + number * DAY
        paid = PaymentReported(
            PaymentOutcome.SUCCEEDED, "basic", 999, "EUR", at, at + DAY, payment_id=f"p{number}"
        )
        yield Event(Key(at, "payment", "", f"e{number}"), USER, "main", paid, f"{number}")


def test_the_ten_thousandth_event_costs_what_the_hundredth_costs(work: list[str]) -> None:
    """A newer event is folded onto the head; if the ring is full, one row moves from it to the base."""
    history = History()
    for number, event in zip(range(1, EVENTS + 1), payments(), strict=False):
        work.clear()
        history = history.add(event, TERMS).history
        assert work == (["fold"] if number <= RING_SIZE else ["fold", "from_row", "fold"])


def test_an_older_event_refolds_the_ring_once_and_a_duplicate_nothing(work: list[str]) -> None:
    told = payments()
    events = [next(told) for _ in range(50)]
    history = History()
    for event in (*events[:10], *events[11:]):
        history = history.add(event, TERMS).history
    work.clear()
    history = history.add(events[10], TERMS).history
    assert work == ["from_row", "fold"] * 50
    work.clear()
    history.add(events[10], TERMS)
    assert work == []
