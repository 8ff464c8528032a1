"""Labels of a raw log: what happened to a user, or to an offer, within some days after an instant."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from infra.errors import UsageError
from shared.domain.events import FeedbackKind
from shared.domain.moments import MomentKind

PAYMENT = "payment"
MAX_DAYS = 3650
_parts = re.compile(r"(no-)?([a-z_.]+):(\d{1,4})d").fullmatch


class Outcome(NamedTuple):
    """The question: whether something happens within a time, or does not."""

    what: str
    """`payment`, a kind of moment, or a kind of feedback."""
    within: timedelta
    is_absence: bool
    """True if the label is that it does not happen."""

    @property
    def of_offer(self) -> bool:
        """True if it is about one offer, by the feedback on its trigger."""
        return self.what in set(FeedbackKind)

    @property
    def text(self) -> str:
        """A sentence about when the label is true."""
        happens = "no" if self.is_absence else "a"
        days = f"within {self.within.days} days"
        if self.what == PAYMENT:
            return f"{happens} payment of the user succeeds {days}"
        if self.of_offer:
            return f"{happens} feedback {self.what} on the offer comes {days}"
        return f"{happens} moment {self.what} of the user comes {days}"


class Happened(NamedTuple):
    """Everything that happened: the instants of each kind, in order, by the id of the user or of the trigger."""

    times: Mapping[tuple[str, str], Sequence[datetime]]
    until: datetime
    """The newest publish time of the log: what happened later is unknown."""

    def label(self, outcome: Outcome, of: str, at: datetime) -> bool | None:
        """The label at an instant; None if its time is not over. What happened at the instant itself is before."""
        if at + outcome.within > self.until:
            return None
        times = self.times.get((of, outcome.what), ())
        after = bisect_right(times, at)
        happens = after < len(times) and times[after] <= at + outcome.within
        return happens is not outcome.is_absence


class Collector:
    """Collects what happens, in any order."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], set[datetime]] = defaultdict(set)

    def add(self, of: str, what: str, at: datetime) -> None:
        """Note that something happened to a user or to an offer (UTC); a second telling adds nothing."""
        self._times[of, what].add(at)

    def happened(self, until: datetime) -> Happened:
        """The outcomes that were collected, up to the end of the log."""
        order: Callable[[set[datetime]], list[datetime]] = sorted
        return Happened({key: order(times) for key, times in self._times.items()}, until)


def parse_outcome(text: str) -> Outcome:
    """An outcome as it is written: `no-payment:60d`, `expired:30d`, `converted:14d`. Raises `UsageError`."""
    kinds = [PAYMENT, *FeedbackKind, *MomentKind]
    if (found := _parts(text)) and found[2] in kinds and 1 <= int(found[3]) <= MAX_DAYS:
        return Outcome(found[2], timedelta(days=int(found[3])), found[1] is not None)
    expected = f"[no-]WHAT:DAYSd with one of {', '.join(kinds)} and 1 to {MAX_DAYS} days, such as no-payment:60d"
    raise UsageError(f"--label: expected {expected}, found {text!r}")
