"""The page of `show`: everything known of one user. It fits 80 columns and is readable without colour."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from infra.inspect import life_timeline, timeline
from infra.inspect.user_tables import Grid, decided_table, due_table, offer_table, score_table
from infra.terminal import wording
from shared.decisioning.catalog import Catalog
from shared.domain.grants import Grant
from shared.domain.subscription import Verdict
from shared.domain.terms import Terms
from shared.queries.current_scores import CurrentScore
from shared.queries.due import due
from shared.queries.life import Life
from shared.queries.past import Past
from shared.queries.user_view import View, summary_of
from shared.record.user_record import UserRecord

INDENT = (0, 0, 0, 2)


class Shown(NamedTuple):
    """Everything that a page tells of a user."""

    record: UserRecord
    """The document; of the past, or of a user whose document is gone, as far as it is known."""
    now: datetime
    """UTC."""
    terms: Terms
    life: Life
    past: Past | None = None
    """From where the past is told; None for the present."""
    scores: Sequence[CurrentScore] | None = None
    """The scores at `now`; None if no catalog is known, or not all that they ask for."""
    catalog: Catalog | None = None
    """The catalog by which to tell what is due next, if one is known."""


def page(shown: Shown) -> Group:
    """The user as of an instant: subscriptions, scores, the whole life, triggers, and what is due next."""
    record, now = shown.record, shown.now
    account, _ = record.history.at(now, shown.terms)
    view = summary_of(record.user_id, account)
    head = Text.assemble((record.user_id, "bold"), f" as of {wording.of_value(now)} UTC")
    parts = [head, *map(Text, where_from(shown.life, shown.past)), *_section("Subscription", _facts(view))]
    for other in view.get("subscriptions", ()):
        if other["subscription_id"] != view["subscription_id"]:
            parts += _section("Another subscription", _facts(other))
    if grants := [grant for sub in account.subscriptions for grant in sub.all_grants]:
        parts += _section("Payments and trials", _grants(grants))
    if verdicts := [verdict for sub in account.subscriptions for verdict in sub.waiting]:
        parts += _section("Verdicts without a payment", _verdicts(verdicts))
    if profile := {each.field: each.value for each in record.profile} | _attributes(record):
        parts += _section("Profile", _facts(profile))
    if shown.scores:
        parts += _section("Scores", score_table(shown.scores))
    if record.assignments:
        parts += _section("Experiments", _facts({each.experiment_id: each.variant for each in record.assignments}))
    parts += _section("Life", timeline.table(life_timeline.entries(shown.life)))
    if missing := shown.life.missing:
        parts += [Padding(Text(f"Incomplete: {'; '.join(missing)}.", style="yellow"), INDENT)]
    if record.triggers:
        parts += _section("Offers", offer_table(record, now, shown.life, shown.past))
    if record.fired.causes and not shown.life.has_log:  # with a log, the life tells of them
        parts += _section("Moments that time brought", decided_table(record, shown.life))
    coming = None if shown.past else due(record, shown.catalog, now, shown.terms)
    return Group(*parts, *_section("Due", due_table(record, coming)))


def where_from(life: Life, past: Past | None) -> Iterator[str]:
    """From where the user is told if not from a document of the present, and what of it may be missing."""
    if not life.has_document:
        yield "There is no document of this user. The raw log alone tells this."
    elif past and past.known == "then":
        yield f"The past, as it was known then, from the {past.source}."
    elif past:
        yield f"The past, as it is known now, from the {past.source}: events may have arrived after it."
    if past and past.incomplete:
        yield f"Something may be missing of: {', '.join(past.incomplete)}."


def _section(title: str, body: RenderableType) -> tuple[RenderableType, ...]:
    return Text(), Text(title, style="bold"), Padding(body, INDENT)


def _facts(view: View) -> Grid:
    """The known facts, one per line."""
    table = Grid(2)
    for name, value in view.items():
        if value is not None and name not in {"user_id", "subscriptions"}:
            table.row(name, _fact(value))
    return table


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


def _grants(grants: list[Grant]) -> Grid:
    """Every payment and trial that the ledger holds: its plan, its time, and its fate."""
    table = Grid(3)
    for grant in grants:
        time = f"{wording.of_value(grant.start)} to {wording.of_value(grant.end)}"
        table.row(f"{grant.kind} {grant.plan}", time, ", ".join(fate(grant)))
    return table


def fate(grant: Grant) -> Iterator[str]:
    """The fate of a grant and its money."""
    if grant.cut:
        yield f"cut {wording.of_value(grant.cut)}"
    if grant.refund:
        yield f"{'refunded' if grant.refund.gone else 'refund reversed'} {wording.of_value(grant.refund.at)}"
    if grant.dispute:
        yield f"dispute {grant.dispute.state} {wording.of_value(grant.dispute.at)}"


def _verdicts(verdicts: list[Verdict]) -> Grid:
    """The refunds, disputes and extensions that wait for their payment."""
    table = Grid(3)
    for verdict in verdicts:
        of = verdict.payment_id or wording.of_value(verdict.period_start)
        table.row(wording.of_value(verdict.at), verdict.outcome, f"of payment {of}")
    return table
