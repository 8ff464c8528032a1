"""Documents kept as files, as each version wrote them. `python -m tests.support.stored_documents` keeps today's.

It adds a folder with the next number and overwrites none, since documents like those in the older ones may lie in
every store. Run it when a row type has a new field or an enumeration a new member.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from itertools import count, cycle
from pathlib import Path
from random import Random
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import orjson

from shared.domain.account import Account
from shared.domain.attributes import AttributeFact
from shared.domain.events import (
    BEHAVIOURAL,
    Event,
    Fact,
    FeedbackKind,
    Key,
    PaymentOutcome,
    PaymentReported,
    Profile,
    Signal,
    SignalSeen,
    TrialStarted,
)
from shared.domain.history import History
from shared.domain.moments import MomentKind
from shared.domain.profiles import ProfileFact
from shared.domain.ring import RingFact, Row, place_of, to_row
from shared.domain.signals import BehaviouralSignal
from shared.domain.sketches import DIGITS, Sketch
from shared.domain.subscription import Status, Subscription
from shared.domain.tallies import ISSUED, SCOPES, WITHHELD, Count, Tallies, Tally
from shared.domain.triggers import Trigger
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.bounds import fit
from shared.record.codec import FORMAT, pack, unpack
from shared.record.user_record import Announced, Pending, UserRecord
from tests.support.catalogs import CATALOGS
from tests.support.floods import Ordinary
from tests.support.histories import DAY, START, TERMS, USER
from tests.support.stored_views import NO_DEFAULT, view

FOLDER = Path(__file__).parents[1] / "shared" / "record" / "kept"
STEP = DAY + timedelta(seconds=1, microseconds=1)


class Kept(NamedTuple):
    """A document that some version wrote, and what it says."""

    name: str
    blob: bytes
    view: dict[str, Any]


def kept() -> list[Kept]:
    """Every document of format 3 and later that is kept, in the order of their names."""
    files = sorted(FOLDER.glob("format_*/*/*.bin"))
    views = (orjson.loads(file.with_suffix(".json").read_bytes()) for file in files)
    return [
        Kept(str(file.relative_to(FOLDER)), file.read_bytes(), says)
        for file, says in zip(files, views, strict=True)
    ]


def keep() -> Path:
    """Write today's documents into a new folder, each with what it says."""
    formats = FOLDER / f"format_{FORMAT}"
    folder = formats / f"{1 + len([*formats.glob('*')]):04}"
    folder.mkdir(parents=True)
    for name, record in documents():
        blob = pack(record)
        (folder / f"{name}.bin").write_bytes(blob)
        text = orjson.dumps(view(unpack(blob)), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (folder / f"{name}.json").write_bytes(text)
    return folder


def documents() -> Iterator[tuple[str, UserRecord]]:
    """The documents to keep: a new user's, one that has everything, and one that 150 events have made."""
    yield "new", UserRecord(USER)
    yield "everything", Filling().fill(UserRecord)
    record, flood, rules = UserRecord(USER), Ordinary(seed=1), Rules(CATALOGS["everything"], TERMS)
    for _ in range(150):
        record = fit(process(record, flood.next(record), flood.now, rules).record, TERMS)[0].record
    yield "lived", record._replace(pending=tuple(one._replace(is_published=True) for one in record.pending))


class Filling:
    """Makes values whose fields do not have their defaults, flags and enumerations apart, which take turns.

    Equal calls in equal order give equal values.
    """

    def __init__(self) -> None:
        self.numbers = count(1)
        self.members: dict[type[Enum], Iterator[Enum]] = {}
        self.random = Random("a document that has everything")  # noqa: S311 - the same in every run
        self.by_field: Mapping[tuple[type, str], Callable[[], Any]] = {
            (UserRecord, "profile"): self._profile,
            (UserRecord, "signals"): lambda: tuple(self._signal(kind) for kind in sorted(BEHAVIOURAL)),
            (UserRecord, "triggers"): lambda: self._several(Trigger, len(MomentKind)),
            (Account, "subscriptions"): lambda: self._several(Subscription, len(Status) // 2 + 1),
            (History, "ring"): self._ring,
            (History, "mark"): lambda: place_of(self._row(self.fill(TrialStarted))),
            (Announced, "facts"): lambda: {"status": next(self._cycle(Status)).value, "plan": None},
            (Pending, "payload"): lambda: orjson.dumps(
                [["upsell-trigger", self.fill(str), {"sequence": self.fill(int)}]]
            ).decode(),
            (AttributeFact, "value"): lambda: [self.fill(str), self.fill(int)],
            (Sketch, "cells"): lambda: DIGITS * 3,
            (Tallies, "rows"): lambda: self._several(Tally, len(SCOPES)),
            (Tally, "scope"): partial(next, cycle(SCOPES)),
            (Count, "event"): partial(next, cycle([ISSUED, WITHHELD, *FeedbackKind])),
        }

    def fill(self, kind: Any) -> Any:
        """A value of a type."""
        if get_origin(kind) in {Union, UnionType}:
            return self.fill(next(member for member in get_args(kind) if member is not NoneType))
        if get_origin(kind) is tuple:
            of, *others = get_args(kind)
            return self._several(of, 2) if others == [...] else tuple(map(self.fill, get_args(kind)))
        if issubclass(kind, Enum):
            return next(self._cycle(kind))
        if hasattr(kind, "_fields"):
            return kind(*(self._field(kind, name, hint) for name, hint in get_type_hints(kind).items()))
        number = next(self.numbers)
        plain: Mapping[type, Callable[[], Any]] = {
            str: lambda: f"text {number}",
            int: lambda: number,
            float: lambda: number + 0.5,
            bool: lambda: self.random.random() < 0.5,
            datetime: lambda: START + number * STEP,
            timedelta: lambda: timedelta(hours=1 + number % 1000),
        }
        return plain[kind]()

    def _field(self, kind: Any, name: str, hint: Any) -> Any:
        make = self.by_field.get((kind, name), lambda: self.fill(hint))
        default = kind._field_defaults.get(name, NO_DEFAULT)  # type: ignore[attr-defined]
        return next(
            value for value in iter(make, NO_DEFAULT) if value != default or isinstance(default, bool | Enum)
        )

    def _several(self, kind: Any, number: int) -> tuple[Any, ...]:
        return tuple(self.fill(kind) for _ in range(number))

    def _cycle(self, kind: type[Enum]) -> Iterator[Enum]:
        return self.members.setdefault(kind, cycle(kind))

    def _profile(self) -> tuple[ProfileFact, ...]:
        facts = self._several(ProfileFact, len(Profile._fields))
        named = [fact._replace(field=field) for field, fact in zip(Profile._fields, facts, strict=True)]
        return tuple(fact._replace(value=True) if fact.field == "student" else fact for fact in named)

    def _signal(self, kind: Signal) -> BehaviouralSignal:
        return self.fill(BehaviouralSignal)._replace(kind=kind)

    def _ring(self) -> tuple[Row, ...]:
        """Each kind of event with all that can be said, then with as little as can be said."""
        kinds = [kind for kind in Signal if kind not in BEHAVIOURAL]
        full = [
            *(self.fill(fact) for fact in get_args(RingFact) if fact not in {PaymentReported, SignalSeen}),
            *(self.fill(PaymentReported)._replace(outcome=outcome) for outcome in PaymentOutcome),
            *(self.fill(SignalSeen)._replace(kind=kind) for kind in kinds),
        ]
        bare = [
            TrialStarted("basic", self.fill(datetime)),
            PaymentReported(PaymentOutcome.FAILED),
            SignalSeen(Signal.RESUMED),
        ]
        return tuple(self._row(fact) for fact in (*full, *bare))

    def _row(self, fact: Fact) -> Row:
        about = self.fill(str), self.fill(str)
        return to_row(Event(self.fill(Key), USER, about[0], fact, about[1], order=self.fill(int)))


if __name__ == "__main__":
    print(keep())
