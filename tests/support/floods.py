"""Endless events of every kind for one user, as ordinary systems send them and as an adversary would."""

from datetime import datetime, timedelta
from itertools import count
from random import Random
from string import ascii_letters, digits
from typing import Any

from shared.contracts.inbound.attributes import MAX_ITEMS, MAX_TEXT
from shared.contracts.inbound.fields import MAX_ID
from shared.domain.events import (
    BEHAVIOURAL,
    Environment,
    Event,
    Fact,
    FeedbackGiven,
    FeedbackKind,
    Key,
    PaymentOutcome,
    PaymentReported,
    Profile,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.record.user_record import UserRecord
from tests.support.histories import DAY, START, USER

PRINTABLE = "".join(map(chr, range(33, 127)))
ID = PRINTABLE.replace("/", "")
CHINESE = "".join(map(chr, range(0x4E00, 0x9FFF)))
STATUS_BEARING = sorted(set(Signal) - BEHAVIOURAL)
OUTCOMES = [PaymentOutcome.SUCCEEDED, PaymentOutcome.SUCCEEDED, PaymentOutcome.FAILED, *PaymentOutcome]
PHASE = 200
"""The number of events in each phase: dense, then daily, then in bursts."""


class Flood:
    """Events in the order of arrival, most of them newer than the event before."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - the same flood in every run
        self.now = START
        self.numbers = count()

    def id(self) -> str:
        """A new id of any kind."""
        raise NotImplementedError

    def subscription_id(self) -> str:
        raise NotImplementedError

    def source(self) -> str:
        raise NotImplementedError

    def text(self, length: int) -> str:
        """A plan or a reason of at most `length` characters."""
        raise NotImplementedError

    def next(self, record: UserRecord) -> Event:
        """The next event, which may be feedback for one of the record's triggers."""
        number = next(self.numbers)
        self.now += self._gap(number)
        at = self.now - self.random.choice([0, 0, 0, 0.1, 3]) * DAY
        topic, fact = self._fact(at, record)
        key = Key(at, topic, self.source(), f"{number}-{self.id()}"[:MAX_ID])
        digest = f"{self.random.getrandbits(64):016x}"
        about = self._profile(), Environment.PRODUCTION, 0, self._attributes()
        return Event(key, USER, self.subscription_id(), fact, digest, *about)

    def _gap(self, number: int) -> timedelta:
        dense, burst = timedelta(minutes=self.random.randrange(10)), self.random.choice([0, 0, 0, 0, 0, 20]) * DAY
        return (dense, DAY, burst)[number // PHASE % 3]

    def _fact(self, at: datetime, record: UserRecord) -> tuple[str, Fact]:
        kind = self.random.random()
        if kind < 0.1:
            return "trial-start", TrialStarted(self.text(128), at + 7 * DAY)
        if kind < 0.6:
            return "payment", self._payment(at)
        if kind < 0.75:
            signal = self.random.choice(STATUS_BEARING)
            return "churn-signal", SignalSeen(signal, self.text(256), to_plan=self.text(128))
        if kind < 0.85 or not record.triggers:
            return "churn-signal", SignalSeen(
                self.random.choice(sorted(BEHAVIOURAL)), strength=self.random.random()
            )
        trigger, what = self.random.choice(record.triggers), self.random.choice(list(FeedbackKind))
        return "trigger-feedback", FeedbackGiven(trigger.trigger_id, what)

    def _payment(self, at: datetime) -> PaymentReported:
        outcome, plan = self.random.choice(OUTCOMES), self.text(128)
        start = at + self.random.choice([-1, 0, 0, 1]) * DAY
        return PaymentReported(outcome, plan, 999, "EUR", start, start + 30 * DAY, payment_id=self.id())

    def _profile(self) -> Profile:
        locale = f"de-x-{self.random.randrange(10**8)}"
        return Profile("DE", locale, "Europe/Berlin", student=self.random.random() < 0.5)

    def _attributes(self) -> tuple[tuple[str, Any], ...]:
        """A few attributes out of many, of all sizes."""
        values = [None, 7, True, self.text(MAX_TEXT), [self.text(MAX_TEXT) for _ in range(MAX_ITEMS)]]
        names = self.random.sample(range(60), 3)
        return tuple((f"attribute-{number}", self.random.choice(values)) for number in names)


class Ordinary(Flood):
    """Ids as billing systems make them, with one subscription and a few names."""

    def id(self) -> str:
        return "".join(self.random.choices(ascii_letters + digits, k=24))

    def subscription_id(self) -> str:
        return "main"

    def source(self) -> str:
        return "billing"

    def text(self, length: int) -> str:  # noqa: ARG002 - names are short
        return self.random.choice(["premium_monthly", "premium_annual"])

    def _attributes(self) -> tuple[tuple[str, Any], ...]:
        """A level now and then, and rarely what does not change often."""
        number = self.now.toordinal()
        steady = (("genres", ["jazz", "soul"]), ("newsletter", True), ("team", "AIK")) if number % 7 == 0 else ()
        return (*steady, ("level", number)) if number % 5 == 0 else steady


class Adversarial(Flood):
    """Random values of the greatest length that the contract allows, and ever new subscriptions."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.subscriptions = [self.id() for _ in range(12)]

    def id(self) -> str:
        return "".join(self.random.choices(ID, k=MAX_ID))

    def subscription_id(self) -> str:
        if self.random.random() < 0.02:
            return self.id()
        return self.random.choice(self.subscriptions)

    def source(self) -> str:
        return "".join(self.random.choices(PRINTABLE, k=256))

    def text(self, length: int) -> str:
        return "".join(self.random.choices(CHINESE, k=length))
