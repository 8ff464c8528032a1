"""The spans of time that a user's subscriptions spent in each status, as it is known now."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from shared.domain.account import Account
from shared.domain.deadlines import advance, next_deadline
from shared.domain.events import BEHAVIOURAL, Event, PaymentReported, SignalSeen, TrialStarted
from shared.domain.history import History, fold
from shared.domain.instants import from_micros
from shared.domain.ring import OCCURRED_AT, Row, from_row, key_of, place_of, to_row
from shared.domain.subscription import ENTITLED, Status, Subscription
from shared.domain.terms import Terms


class StatusSpan(NamedTuple):
    """A subscription in one status and on one plan, from `begins` to `ends` (UTC)."""

    subscription_id: str
    status: Status
    plan: str | None
    begins: datetime
    ends: datetime

    @property
    def entitled(self) -> bool:
        """True if the subscription gave access."""
        return self.status in ENTITLED


def status_spans(
    user_id: str, events: Iterable[Event], history: History | None, now: datetime, terms: Terms
) -> list[StatusSpan]:
    """The spans up to `now`, by subscription and time; none of a subscription before its first event.

    `events` are those that are known beside the document's `history`, which tells everything after its base.
    """
    history = history or History()
    rows = {key_of(row)[1:]: row for row in (*_rows(events), *history.ring)}
    older, newer = _parted(sorted(rows.values(), key=place_of), history.mark)
    spans, account = _Spans(terms), Account()
    for row in older:
        account = spans.fold(account, row, user_id)
    if history.mark is not None:
        account = history.base
        spans.note(account, from_micros(history.mark[OCCURRED_AT]))
    for row in newer:
        account = spans.fold(account, row, user_id)
    spans.pass_time(account, now, inclusive=True)
    return spans.until(now)


def _rows(events: Iterable[Event]) -> Iterator[Row]:
    """The events that bear on the status, as the ring holds them."""
    for event in events:
        match event.fact:
            case SignalSeen(kind=kind) if kind in BEHAVIOURAL:
                continue
            case TrialStarted() | PaymentReported() | SignalSeen():
                yield to_row(event)


def _parted(rows: list[Row], mark: Row | None) -> tuple[list[Row], list[Row]]:
    """The rows up to the base's mark, and those after it."""
    if mark is None:
        return [], rows
    older = [row for row in rows if place_of(row) <= mark]
    return older, rows[len(older) :]


class _Spans:
    """Notes the status of each subscription whenever it changes."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._done: list[StatusSpan] = []
        self._open: dict[str, StatusSpan] = {}
        self._passed: dict[str, tuple[Subscription, Subscription]] = {}
        """Each subscription as its last event left it, and as time changed it since."""

    def fold(self, account: Account, row: Row, user_id: str) -> Account:
        """The account after one more event; notes what changed until then and by it."""
        event = from_row(row, user_id)
        self.pass_time(account, event.occurred_at, inclusive=False)
        account, _ = fold(account, event, self._terms)
        self.note(account, event.occurred_at)
        return account

    def pass_time(self, account: Account, until: datetime, *, inclusive: bool) -> None:
        """Note what time alone changes until an instant."""
        for sub in account.subscriptions:
            left, known = self._passed.get(sub.id, (sub, sub))
            known = known if left == sub else sub
            while (at := next_deadline(known, self._terms)) and (at < until or (inclusive and at == until)):
                known = advance(known, at, self._terms).subscription
                self._note(known, at)
            self._passed[sub.id] = sub, known

    def note(self, account: Account, at: datetime) -> None:
        """Note the statuses of an account at an instant."""
        for sub in account.subscriptions:
            reached = advance(sub, at, self._terms).subscription if sub.as_of and sub.as_of < at else sub
            self._note(reached, at)
        for gone in self._open.keys() - {sub.id for sub in account.subscriptions}:
            self._close(gone, at)

    def until(self, now: datetime) -> list[StatusSpan]:
        """Every span; those that are open end now."""
        for subscription_id in [*self._open]:
            self._close(subscription_id, now)
        return [*_joined(sorted(self._done, key=lambda span: (span.subscription_id, span.begins)))]

    def _note(self, sub: Subscription, at: datetime) -> None:
        known = self._open.get(sub.id)
        if known and (known.status, known.plan) == (sub.status, sub.plan):
            return
        self._close(sub.id, at)
        if sub.status is not Status.NONE:
            self._open[sub.id] = StatusSpan(sub.id, sub.status, sub.plan, at, at)

    def _close(self, subscription_id: str, at: datetime) -> None:
        if (known := self._open.pop(subscription_id, None)) and known.begins < at:
            self._done.append(known._replace(ends=at))


def _joined(spans: Iterable[StatusSpan]) -> Iterator[StatusSpan]:
    """The spans; of two that are alike and follow each other, one is made: events of one instant part them."""
    last = None
    for span in spans:
        if last and last._replace(begins=span.begins, ends=span.ends) == span and last.ends == span.begins:
            last = last._replace(ends=span.ends)
            continue
        if last:
            yield last
        last = span
    if last:
        yield last
