"""Format 1: records as they were before subscriptions kept a ledger of grants. One is migrated when it is read.

The ring is folded again by the rules of today. The events of the base are gone: its subscriptions become grants
and facts from which, at the instant of their last event, the same status follows as before.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar, cast

from shared.domain.account import Account
from shared.domain.events import PaymentOutcome, ReasonCode
from shared.domain.grants import Dispute, DisputeState, Grant, GrantKind, Refund
from shared.domain.history import History, fold
from shared.domain.instants import BEGINNING_OF_TIME, later
from shared.domain.ledger import retire
from shared.domain.moments import Moment
from shared.domain.ring import DIGEST, OCCURRED_AT, RANKS, TRIAL, Row, from_row, place_of, to_row
from shared.domain.settling import settle
from shared.domain.subscription import (
    LIVE,
    Cancellation,
    Cut,
    Pause,
    PendingPayment,
    PlanChange,
    PriceIncrease,
    Renewal,
    Said,
    ScheduledPause,
    Status,
    Subscription,
    ToldGrace,
    Verdict,
)
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger
from shared.record import format_2
from shared.record.rows import reader_of
from shared.record.user_record import Announced, Fired, UserRecord

HISTORY, ANNOUNCED = UserRecord._fields.index("history"), UserRecord._fields.index("announced")
"""The columns of a record that had another type."""
AFTER_ALL = len(RANKS) + 1
"""A rank after those of all events of one instant."""
PAID = "paid"
REFUNDS = {"refunded": PaymentOutcome.REFUNDED, "reversed": PaymentOutcome.REFUND_REVERSED}
DISPUTES = {
    "disputed": (PaymentOutcome.DISPUTED, DisputeState.OPEN),
    "lost": (PaymentOutcome.DISPUTE_LOST, DisputeState.LOST),
    "won": (PaymentOutcome.DISPUTE_WON, DisputeState.WON),
}


class FormerPayment(NamedTuple):
    """A payment, of whose period the start was kept, and the latest verdict on it."""

    payment_id: str | None
    period_start: datetime
    verdict: str
    at: datetime
    """The time of the verdict."""
    free: bool = False

    @property
    def stands(self) -> bool:
        """True unless the money went back."""
        return self.verdict not in {"refunded", "lost"}


class Replaced(NamedTuple):
    """The state before a payment for a period that was yet to begin."""

    status: Status
    since: datetime | None
    plan: str | None
    period_start: datetime | None
    period_end: datetime | None
    period_counts: bool
    paid_by: FormerPayment | None
    granted_by: str
    grace_until: datetime | None
    resume_at: datetime | None
    after_trial: bool
    failing: bool


class FormerSubscription(NamedTuple):
    """A subscription with one current period."""

    id: str
    status: Status = Status.NONE
    since: datetime | None = None
    as_of: datetime | None = None
    plan: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    trial_ends_at: datetime | None = None
    auto_renew: bool = False
    auto_renew_reason: str | None = None
    grace_until: datetime | None = None
    resume_at: datetime | None = None
    cancel_at: datetime | None = None
    pause: tuple[datetime | None, datetime | None] | None = None
    """The beginning and the end of a scheduled pause."""
    plan_change: tuple[str | None, datetime | None] | None = None
    """The next plan, and the time of the change."""
    price_consent: str | None = None
    first_paid_at: datetime | None = None
    last_paid_at: datetime | None = None
    payments: tuple[FormerPayment, ...] = ()
    paid_by: FormerPayment | None = None
    """The payment of the current period."""
    granted_by: str = ""
    period_counts: bool = False
    """False once the subscription has expired."""
    trial_counts: bool = False
    """False once the subscription has expired."""
    after_trial: bool = False
    """True if the present grace or hold followed a trial."""
    failing: bool = False
    replaced: tuple[Replaced, ...] = ()

    @property
    def revoked(self) -> bool:
        """True if the money for the current period went back, and no other payment upheld it."""
        paid_by = self.paid_by
        if paid_by is None or paid_by.stands:
            return False
        return not any(
            one.stands and not one.free and one.period_start == paid_by.period_start for one in self.payments
        )

    @property
    def is_ahead(self) -> bool:
        """True if the current period had not begun."""
        return bool(self.period_start and self.as_of and self.period_start > self.as_of)


class FormerAccount(NamedTuple):
    """All subscriptions of one user."""

    subscriptions: tuple[FormerSubscription, ...] = ()
    trial_used: bool = False


class FormerHistory(NamedTuple):
    """A history; its mark is the key of the newest event in the base."""

    base: FormerAccount = FormerAccount()
    mark: Row | None = None
    ring: tuple[Row, ...] = ()
    head: FormerAccount = FormerAccount()


_read_history = cast(Any, reader_of(FormerHistory))


def migrate(columns: list[Any], terms: Terms) -> UserRecord:
    """The record in the columns of one of format 1. Raises what a reader raises."""
    former = cast(FormerHistory, _read_history(columns[HISTORY] if len(columns) > HISTORY else []))
    told = columns[ANNOUNCED] if len(columns) > ANNOUNCED else {}
    as_today = [[] if place in {HISTORY, ANNOUNCED} else column for place, column in enumerate(columns)]
    record = format_2.migrate(as_today)
    history = _history(former, record.user_id, terms)
    account = history.at(record.as_of, terms)[0] if record.as_of else history.head
    facts = {name: fact for name, fact in dict(told).items() if fact is not None}
    names = {(sub.id, sub.granted_by): account.get(sub.id).granted_by for sub in former.head.subscriptions}
    return record._replace(
        history=history,
        announced=(Announced(account.best.id, facts),) if facts else (),
        # The causes of moments have other names now. All that was due at the last commit was decided with it.
        fired=Fired(floor=record.as_of),
        triggers=tuple(_renamed(trigger, names) for trigger in record.triggers),
        deferred=tuple(one._replace(moment=_renamed(one.moment, names)) for one in record.deferred),
    )


Named = TypeVar("Named", Trigger, Moment)


def _renamed(one: Named, names: Mapping[tuple[str, str], str]) -> Named:
    """A trigger or a moment with the name that its grant has today."""
    return one._replace(grant=names.get((one.subscription_id, one.grant), one.grant)) if one.grant else one


def _history(former: FormerHistory, user_id: str, terms: Terms) -> History:
    """The history with a ring in the order of today. An event of the mark's instant is as late as before."""
    ring = tuple(sorted((_row(row, user_id) for row in former.ring), key=place_of))
    base = Account(tuple(migrated(sub, terms) for sub in former.base.subscriptions), former.base.trial_used)
    mark = (former.mark[OCCURRED_AT], AFTER_ALL) if former.mark else None
    head = base
    for row in ring:
        head, _ = fold(head, from_row(row, user_id), terms)
    return History(base, mark, ring, head)


def _row(row: Row, user_id: str) -> Row:
    """A row of the ring with an order. That a trial renews was the default, so nobody need have said it."""
    about, fact = row[: DIGEST + 1], row[DIGEST + 1 :]
    if fact[0] == TRIAL and fact[-1] is True:
        fact = fact[:-1]
    return to_row(from_row((*about, 0, *fact), user_id))


def migrated(old: FormerSubscription, terms: Terms) -> Subscription:
    """The subscription with its payments and its trial as grants, and with what was said of it as facts.

    Everything that was said is dated at the last event, because only the newest word was kept.
    """
    at, status = old.as_of, old.status
    if at is None:
        return Subscription(old.id)
    since = old.since or at
    grants, verdicts = _payments(old, since)
    trial = _trial(old, since)
    is_cut = status is Status.EXPIRED and any(grant.cut for grant in grants)
    facts = Subscription(
        old.id,
        status=Status.REVOKED if old.revoked else status,
        since=old.since,
        as_of=at,
        current=max(grants, key=lambda grant: grant.start == old.period_start, default=trial),
        grants=tuple(grants),
        trial=trial,
        renewal=_renewal(old, at, sold=bool(grants or trial)),
        cut=Cut(since, old.plan) if is_cut else None,
        ended_at=_ended_at(old, since),
        failed_at=at if old.failing else None,
        told_grace=_told_grace(old, at, since),
        pending=_pending(old, since, terms, sold=bool(grants or trial)),
        scheduled_pause=_scheduled_pause(old, at),
        pause=Pause(since, old.resume_at) if status is Status.PAUSED and not old.revoked else None,
        plan_change=_plan_change(old, at),
        cancellation=Cancellation(old.cancel_at, at) if old.cancel_at and status in LIVE else None,
        waiting=tuple(sorted(verdicts, key=lambda verdict: verdict.at)),
        price_increase=PriceIncrease(old.price_consent) if old.price_consent else None,
        first_paid_at=old.first_paid_at,
        last_paid_at=old.last_paid_at,
    )
    return settle(retire(facts, at), at, terms)


def _payments(old: FormerSubscription, since: datetime) -> tuple[list[Grant], list[Verdict]]:
    """The payments as grants, and the verdicts on payments that were never reported.

    Of a past payment only the start was kept: it ends where the next one begins.
    """
    known = [one for one in old.payments if one != old.paid_by]
    current = old.period_start
    if current and (old.paid_by or all(one.period_start != current for one in known)):
        paid_by = old.paid_by or FormerPayment(None, current, PAID, current)
        known.append(paid_by._replace(period_start=current))
    starts = sorted({one.period_start for one in known if current and one.period_start <= current})
    periods = {start: (end, old.plan) for start, end in pairwise(starts)}
    states: list[Replaced | FormerSubscription] = [*(old.replaced if old.is_ahead else ()), old]
    for state in states:
        if state.period_start and state.period_end:
            periods[state.period_start] = state.period_end, state.plan
    grants, verdicts = [], []
    for one in sorted(known, key=lambda one: one.period_start):
        if one.period_start in periods:
            end, plan = periods[one.period_start]
            cut = since if end > since and not old.period_counts else None
            grants.append(_grant(one, end, plan, since)._replace(cut=cut))
        elif one.verdict != PAID:
            outcome = REFUNDS.get(one.verdict) or DISPUTES[one.verdict][0]
            verdicts.append(Verdict(one.payment_id, one.period_start, outcome, one.at))
    return grants, verdicts


def _grant(paid: FormerPayment, end: datetime, plan: str | None, since: datetime) -> Grant:
    """A payment as a grant. Of the amount it was kept if it was 0; 1 stands for any other."""
    start, at, verdict = paid.period_start, paid.at, paid.verdict
    return Grant(
        GrantKind.PAYMENT,
        start,
        end,
        at=min(start, at, since),
        plan=plan or "",
        amount=0 if paid.free else 1,
        payment_id=paid.payment_id,
        refund=Refund(at, gone=not paid.stands) if verdict in REFUNDS else None,
        dispute=Dispute(at, DISPUTES[verdict][1]) if verdict in DISPUTES else None,
    )


def _trial(old: FormerSubscription, since: datetime) -> Grant | None:
    """The trial. One that was converted is cut, and so is one that is over, unless its grace or hold lasts."""
    ends, at = old.trial_ends_at, old.as_of
    if ends is None or at is None:
        return None
    start = since if old.status is Status.TRIALING and since < ends else BEGINNING_OF_TIME
    trial = Grant(GrantKind.TRIAL, start, ends, start, old.plan or "")
    runs = old.trial_counts and ends > at and not old.revoked
    is_current = old.status is Status.TRIALING or (
        old.after_trial and old.status in {Status.GRACE, Status.ON_HOLD}
    )
    if is_current or (runs and not _is_converted(old, ends)):
        return trial
    begins = old.period_start or since
    return trial._replace(cut=min(ends, begins if old.is_ahead else min(since, begins)))


def _is_converted(old: FormerSubscription, ends: datetime) -> bool:
    """True if the trial ends within a paid period. One that ends after it waits behind it."""
    return old.status is Status.ACTIVE and old.period_end is not None and old.period_end > ends


def _renewal(old: FormerSubscription, at: datetime, *, sold: bool) -> Renewal | None:
    """The last word on auto-renew, unless it says what payments and trials say by themselves."""
    reason, in_grace = old.auto_renew_reason, old.status is Status.GRACE
    if old.auto_renew == sold and not reason:
        return None
    if reason == Said.BILLING:
        return Renewal(old.auto_renew, Said.BILLING, at, in_grace, reason, ReasonCode.BILLING)
    return Renewal(old.auto_renew, Said.USER, at, in_grace, reason)


def _ended_at(old: FormerSubscription, since: datetime) -> datetime | None:
    """The time at which access ended, or at which a new life began after such an end."""
    if old.revoked:
        return old.as_of
    if old.status in {Status.EXPIRED, Status.PENDING}:
        return since
    before = old.replaced[0] if old.is_ahead and old.replaced else None
    return before.since if before and before.status not in LIVE else None


def _told_grace(old: FormerSubscription, at: datetime, since: datetime) -> ToldGrace | None:
    """The end of the present grace, of the one before the present hold, or of one to come."""
    if old.status is Status.ON_HOLD:
        return ToldGrace(since, at)
    return ToldGrace(old.grace_until, at) if old.grace_until and old.status in LIVE else None


def _pending(old: FormerSubscription, since: datetime, terms: Terms, *, sold: bool) -> PendingPayment | None:
    """The payment that pends, or the only one that there was, which never settled."""
    if old.status is Status.PENDING:
        return PendingPayment(since, later(since, terms.pending), None, old.plan)
    never_settled = old.status is Status.EXPIRED and not sold
    return PendingPayment(since, since, None, old.plan) if never_settled else None


def _scheduled_pause(old: FormerSubscription, at: datetime) -> ScheduledPause | None:
    """The pause to come. One that is overdue waited for a status in which it could begin: it is overtaken."""
    if old.pause is None or (old.pause[0] and old.pause[0] <= at):
        return None
    return ScheduledPause(*old.pause, at)


def _plan_change(old: FormerSubscription, at: datetime) -> PlanChange | None:
    """The plan change to come; one that named no plan said nothing."""
    to_plan, effective_at = old.plan_change or (None, None)
    return PlanChange(to_plan, effective_at, at) if to_plan else None
