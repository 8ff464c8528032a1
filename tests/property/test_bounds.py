"""Bounds: ten thousand events of any kind and spacing, and the document stays small and each of them cheap."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from string import ascii_letters, digits

import pytest

import shared.domain.history
from shared.application import MAX_BLOB, fit
from shared.domain.account import MAX_SUBSCRIPTIONS
from shared.domain.errors import Rejected
from shared.domain.events import (
    BEHAVIOURAL,
    Event,
    Fact,
    FeedbackGiven,
    FeedbackKind,
    Key,
    Outcome,
    PaymentReported,
    Profile,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.history import RING_SIZE, History
from shared.packing import pack
from shared.processing import Policy, process
from shared.record import MAX_FIRED, MAX_TRIGGERS, UserRecord
from tests.catalogs import CATALOGS, EVERYTHING
from tests.histories import DAY, START, TERMS, USER

ID = ascii_letters + digits + "._:@-"
PRINTABLE = "".join(map(chr, range(33, 127)))
LIMIT = 16 * 1024
EVENTS = 10_000

SPACINGS = {
    "dense": lambda random: timedelta(minutes=random.randrange(10)),
    "daily": lambda random: DAY,
    "bursty": lambda random: random.choice([0, 0, 0, 0, 0, 20]) * DAY,
}


class Flood:
    """Events of every kind, in the order of arrival, most of them newer than the one before."""

    def __init__(self, random: Random, spacing: str, *, adversarial: bool) -> None:
        self.random = random
        self.spacing = SPACINGS[spacing]
        self.adversarial = adversarial
        self.now = START
        self.subscriptions = [self.id() for _ in range(12)] if adversarial else ["main"]
        self.numbers = count()

    def id(self) -> str:
        """128 random characters, or a name of the length that billing systems use."""
        return "".join(self.random.choices(ID, k=128 if self.adversarial else 24))

    def text(self, length: int) -> str:
        """Text that hardly compresses: random Chinese."""
        if not self.adversarial:
            return "premium_monthly"
        return "".join(chr(self.random.randrange(0x4E00, 0x9FFF)) for _ in range(length))

    def next(self, record: UserRecord) -> Event:
        self.now += self.spacing(self.random)
        at = self.now - self.random.choice([0, 0, 0, 0.1, 3]) * DAY
        topic, fact = self._fact(at, record)
        source = "".join(self.random.choices(PRINTABLE, k=256)) if self.adversarial else "billing"
        sub = (
            self.id()
            if self.adversarial and self.random.random() < 0.02
            else self.random.choice(self.subscriptions)
        )
        digest = f"{self.random.getrandbits(64):016x}"
        name = f"{next(self.numbers)}-{self.id()}"[:128]
        return Event(Key(at, topic, source, name), USER, sub, fact, digest, self._profile())

    def _fact(self, at: datetime, record: UserRecord) -> tuple[str, Fact]:
        kind = self.random.random()
        if kind < 0.1:
            return "trial-start", TrialStarted(self.text(128), at + 7 * DAY)
        if kind < 0.6:
            return "payment", self._payment(at)
        if kind < 0.75:
            signal = self.random.choice(sorted(set(Signal) - BEHAVIOURAL))
            return "churn-signal", SignalSeen(signal, self.text(256), to_plan=self.text(128))
        if kind < 0.85 or not record.triggers:
            signal = self.random.choice(sorted(BEHAVIOURAL))
            return "churn-signal", SignalSeen(signal, strength=self.random.random())
        kinds = list(FeedbackKind)
        return "trigger-feedback", FeedbackGiven(
            self.random.choice(record.triggers).trigger_id, self.random.choice(kinds)
        )

    def _payment(self, at: datetime) -> PaymentReported:
        outcomes = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.FAILED, *Outcome]
        start = at + self.random.choice([-1, 0, 0, 1]) * DAY
        return PaymentReported(
            self.random.choice(outcomes), self.text(128), 999, "EUR", start, start + 30 * DAY, payment_id=self.id()
        )

    def _profile(self) -> Profile:
        return Profile(
            "DE", f"de-DE-x-{self.random.randrange(10**8)}", "Europe/Berlin", self.random.random() < 0.5
        )


def flooded(flood: Flood, catalog: str, number: int = EVENTS) -> Iterator[tuple[UserRecord, bytes]]:
    """The record and its blob after each event, as they are committed."""
    policy, record = Policy(CATALOGS[catalog], TERMS), UserRecord(USER)
    for _ in range(number):
        try:
            processed = process(record, flood.next(record), flood.now, policy)
        except Rejected:
            continue
        record, blob, _ = fit(processed.record, TERMS)
        yield record, blob


@pytest.mark.parametrize("adversarial", [False, True], ids=["ordinary", "adversarial"])
@pytest.mark.parametrize("spacing", SPACINGS)
def test_after_ten_thousand_events_the_document_is_small(spacing: str, adversarial: bool) -> None:
    flood = Flood(Random(f"{spacing} {adversarial}"), spacing, adversarial=adversarial)  # noqa: S311 - seeded
    number = EVENTS if spacing == "daily" else EVENTS // 4
    largest = max(len(blob) for _, blob in flooded(flood, "default", number))
    assert largest < LIMIT


def test_even_an_offer_at_every_moment_keeps_the_document_small() -> None:
    flood = Flood(Random("everything"), "daily", adversarial=True)  # noqa: S311 - seeded
    for record, blob in flooded(flood, "everything", 1500):
        assert len(blob) < LIMIT
        assert len(pack(replace(record, pending=()))) <= MAX_BLOB


def test_every_collection_has_a_bound() -> None:
    flood = Flood(Random("bounds"), "daily", adversarial=False)  # noqa: S311 - seeded
    for record, _ in flooded(flood, "everything", 1500):
        assert len(record.history.ring) <= RING_SIZE
        assert len(record.triggers) <= MAX_TRIGGERS
        assert len(record.fired.causes) <= MAX_FIRED
        assert len(record.signals) <= 8 * len(BEHAVIOURAL)
        assert len(record.profile) <= 4
        for account in (record.history.base, record.history.head):
            assert len(account.subscriptions) <= MAX_SUBSCRIPTIONS
            assert all(len(sub.payments) <= 8 and len(sub.replaced) <= 8 for sub in account.subscriptions)


def test_an_ordinary_user_keeps_a_ring_worth_having() -> None:
    """Of a user with every offer there was room for, and with feedback on them, the ring is still most of a year."""
    flood = Flood(Random("ordinary"), "daily", adversarial=False)  # noqa: S311 - seeded
    *_, (record, _) = flooded(flood, "default", 2000)
    assert len(record.triggers) == MAX_TRIGGERS
    assert len(record.history.ring) >= 24


class Counted:
    """Counts what a fold costs: calls of `fold`, and rows of the ring that were decoded for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        for name in ("fold", "from_row"):
            self._count(monkeypatch, name)

    def _count(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(shared.domain.history, name)

        def counting(*args: object) -> object:
            self.calls += 1
            return real(*args)

        monkeypatch.setattr(shared.domain.history, name, counting)

    def of(self, work: "object") -> int:
        before = self.calls
        work()
        return self.calls - before


def payments() -> Iterator[Event]:
    for number in count():
        at = START + number * DAY
        paid = PaymentReported(Outcome.SUCCEEDED, "basic", 999, "EUR", at, at + DAY, payment_id=f"p{number}")
        yield Event(Key(at, "payment", "", f"e{number}"), USER, "main", paid, f"{number}")


def test_the_ten_thousandth_event_costs_no_more_than_the_hundredth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer event is folded onto the head, and one leaves the ring for the base: two folds, whatever came before."""
    counted, history, costs = Counted(monkeypatch), History(), []
    for number, event in enumerate(payments(), start=1):
        before = counted.calls
        history = history.add(event, TERMS).history
        costs.append(counted.calls - before)
        if number == EVENTS:
            break
    assert set(costs[:RING_SIZE]) == {1}
    assert set(costs[RING_SIZE:]) == {3}, "one fold onto the head; one row decoded, and folded onto the base"


def test_an_older_event_refolds_the_ring_once_and_a_duplicate_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, history, told = Counted(monkeypatch), History(), payments()
    events = [next(told) for _ in range(50)]
    for event in events[:10] + events[11:]:
        history = history.add(event, TERMS).history
    before = counted.calls
    history.add(events[10], TERMS)
    assert counted.calls - before == 2 * 50
    before = counted.calls
    history.add(events[9], TERMS)
    assert counted.calls == before


def test_an_offer_to_somebody_of_long_standing_costs_no_more_than_to_a_new_one() -> None:
    """What a processing loads and writes has a bound, so that the blobs of the last events are no larger."""
    flood = Flood(Random("steady"), "daily", adversarial=False)  # noqa: S311 - seeded
    sizes = [len(blob) for _, blob in flooded(flood, "default", 3000)]
    assert max(sizes[-500:]) <= 1.2 * max(sizes[500:1000])
    assert EVERYTHING.version
