"""The page of `show`: everything stored about one user. It fits 80 columns and is readable without colour."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.inspect import timeline, withheld
from infra.inspect.timeline import EntryKind, TimelineEntry
from infra.terminal import wording
from shared.contracts.topics import Topic
from shared.domain.events import cause_of
from shared.domain.grants import Grant
from shared.domain.ring import from_row
from shared.domain.subscription import Verdict
from shared.domain.terms import Terms
from shared.domain.triggers import Trigger, trigger_state
from shared.queries.past import Past
from shared.queries.user_view import View, summary_of
from shared.record.user_record import UserRecord

INDENT = (0, 0, 0, 2)


def page(record: UserRecord, now: datetime, terms: Terms, past: Past | None = None) -> Group:
    """The user as of `now` (UTC): subscriptions, timeline, triggers, and what is due next.

    With `past`, what is known of the document at that instant takes its place, and the page says from where.
    """
    record = past.record if past else record
    account, _ = record.history.at(now, terms)
    view = summary_of(record.user_id, account)
    head = Text.assemble((record.user_id, "bold"), f" as of {wording.of_value(now)} UTC")
    parts = [head, *map(Text, past_lines(past)), *_section("Subscription", _facts(view))]
    for other in view.get("subscriptions", ()):
        if other["subscription_id"] != view["subscription_id"]:
            parts += _section("Another subscription", _facts(other))
    if grants := [grant for sub in account.subscriptions for grant in sub.all_grants]:
        parts += _section("Payments and trials", _grants(grants))
    if verdicts := [verdict for sub in account.subscriptions for verdict in sub.waiting]:
        parts += _section("Verdicts without a payment", _verdicts(verdicts))
    if profile := {each.field: each.value for each in record.profile} | _attributes(record):
        parts += _section("Profile", _facts(profile))
    if record.assignments:
        parts += _section("Experiments", _facts({each.experiment_id: each.variant for each in record.assignments}))
    parts += _section("Timeline", timeline.table(entries(record)))
    if record.triggers:
        parts += _section("Triggers", _triggers(record, now, past))
    return Group(*parts, *_section("Time", _time(record, past)))


def past_lines(past: Past | None) -> Iterator[str]:
    """From where the past is told, and what may be missing; nothing about the present."""
    if past is None:
        return
    if past.known == "then":
        yield f"The past, as it was known then, from the {past.source}."
    else:
        yield f"The past, as it is known now, from the {past.source}: events may have arrived after it."
    if past.incomplete:
        yield f"Something may be missing of: {', '.join(past.incomplete)}."


def entries(record: UserRecord) -> list[TimelineEntry]:
    """The past that the document still holds: recent events, state changes, offers, and reasons against offers."""
    return sorted(
        (*_event_entries(record), *_message_entries(record)),
        key=lambda entry: (entry.at, timeline.RANK[entry.kind]),
    )


def _event_entries(record: UserRecord) -> Iterator[TimelineEntry]:
    for row in record.history.ring:
        yield timeline.of_event(from_row(row, record.user_id))
    for signal in record.signals:
        yield TimelineEntry(signal.occurred_at, EntryKind.EVENT, f"signal: {signal.kind}")


def _message_entries(record: UserRecord) -> Iterator[TimelineEntry]:
    """Offers from the stored triggers, which are kept for longer than messages; the rest from the messages.

    What was withheld comes from its decision while that is on record, for it names the holdout.
    """
    told = withheld.recorded(record)
    yield from (timeline.of_stored(trigger) for trigger in record.triggers if trigger.trigger_id not in told)
    for message in record.pending_messages:
        if message.topic != Topic.UPSELL_TRIGGER or message.body["kind"] != "issued":
            yield from timeline.of_message(message.topic, message.body)


def _section(title: str, body: RenderableType) -> tuple[RenderableType, ...]:
    return Text(), Text(title, style="bold"), Padding(body, INDENT)


def _grid(columns: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        grid.add_column(overflow="fold")
    return grid


def _facts(view: View) -> Table:
    """The known facts, one per line."""
    grid = _grid(2)
    for name, value in view.items():
        if value is not None and name not in {"user_id", "subscriptions"}:
            grid.add_row(name, _fact(value))
    return grid


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return (
            ", ".join(f"{name} {wording.of_value(each)}" for name, each in value.items() if each is not None)
            or "yes"
        )
    return wording.of_value(value)


def _attributes(record: UserRecord) -> View:
    """The attributes by the names that clauses have for them; a list as its items."""
    values = record.attributes.values.items()
    return {
        f"attributes.{name}": ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in values
    }


def _grants(grants: list[Grant]) -> Table:
    """Every payment and trial that the ledger holds: its plan, its time, and its fate."""
    grid = _grid(3)
    for grant in grants:
        time = f"{wording.of_value(grant.start)} to {wording.of_value(grant.end)}"
        grid.add_row(f"{grant.kind} {grant.plan}", time, ", ".join(_fate(grant)))
    return grid


def _fate(grant: Grant) -> Iterator[str]:
    if grant.cut:
        yield f"cut {wording.of_value(grant.cut)}"
    if grant.refund:
        yield f"{'refunded' if grant.refund.gone else 'refund reversed'} {wording.of_value(grant.refund.at)}"
    if grant.dispute:
        yield f"dispute {grant.dispute.state} {wording.of_value(grant.dispute.at)}"


def _verdicts(verdicts: list[Verdict]) -> Table:
    """The refunds, disputes and extensions that wait for their payment."""
    grid = _grid(3)
    for verdict in verdicts:
        of = verdict.payment_id or wording.of_value(verdict.period_start)
        grid.add_row(wording.of_value(verdict.at), verdict.outcome, f"of payment {of}")
    return grid


def _triggers(record: UserRecord, now: datetime, past: Past | None) -> Table:
    grid, told = _grid(4), withheld.recorded(record)
    for trigger in record.triggers:
        feedback = ", ".join(report.kind for report in trigger.feedback) or "no feedback"
        until = f"until {wording.of_value(trigger.expires_at)}"
        is_unknown = past is not None and trigger.trigger_id in past.unknown_revocations
        state = "revoked, then or later" if is_unknown else _state(trigger, now, told)
        grid.add_row(trigger.campaign_id, state, until, feedback)
    return grid


def _state(trigger: Trigger, now: datetime, told: withheld.Reasons) -> str:
    """The state of a trigger; of one that was withheld also the reason."""
    if not trigger.withheld:
        return trigger_state(trigger, now)
    return withheld.in_words(told.get(trigger.trigger_id) or withheld.reason_of_stored(trigger))


def _time(record: UserRecord, past: Past | None) -> Table:
    """The moments brought by time: decided, and of the present also those that are deferred and due next."""
    moments = _moments(record)
    grid = _grid(2)
    for at, name in record.fired.causes:
        grid.add_row(wording.of_value(at), f"{moments.get(name, 'a moment no campaign listens to')} was decided")
    for deferred in record.deferred:
        text = f"{deferred.campaign_id} is decided, deferred to the next instant that is not quiet"
        grid.add_row(wording.of_value(deferred.until), text)
    if past:
        grid.add_row("unknown", "what was due next then")
        return grid
    grid.add_row(wording.of_value(record.next_due_at) if record.next_due_at else "never", "something is due next")
    return grid


def _moments(record: UserRecord) -> dict[str, str]:
    """The moments of the stored triggers and decisions, by the short names of their causes."""
    decisions = (message.body for message in record.pending_messages if message.topic == Topic.DECISION)
    of_decisions = {cause_of(each["cause"]): each["moment"] for body in decisions for each in body["candidates"]}
    return of_decisions | {cause_of(trigger.cause): trigger.moment.value for trigger in record.triggers}
