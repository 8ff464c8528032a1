"""Tables of a user's page: scores, offers, and what is due."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from infra.inspect import withheld
from infra.terminal import wording
from infra.terminal.reasons import why_revoked
from shared.domain.events import cause_of
from shared.domain.triggers import Trigger, TriggerState, trigger_state
from shared.queries.current_scores import CurrentScore
from shared.queries.due import Due
from shared.queries.life import Life, LifeKind
from shared.queries.life_entry import Body
from shared.queries.past import Past
from shared.record.user_record import UserRecord

NOTHING_DUE = "nothing is due: the clock does not look at this user until the next event"


class Grid(Table):
    """A table without lines or titles, whose cells are folded and hold text as it is, never markup."""

    def __init__(self, columns: int) -> None:
        super().__init__(
            box=None,
            padding=(0, 2, 0, 0),
            collapse_padding=True,
            pad_edge=False,
            show_header=False,
            show_footer=False,
            show_edge=False,
        )
        for _ in range(columns):
            self.add_column(overflow="fold")

    def row(self, *cells: str) -> None:
        """Add a row."""
        self.add_row(*map(Text, cells))


def score_table(scores: Iterable[CurrentScore]) -> Grid:
    """Each score with its value, and with what it was raised at."""
    table = Grid(3)
    for score in scores:
        value = "unknown" if score.value is None else wording.of_fraction(score.value)
        table.row(
            score.name, f"{value} (version {score.version})", score.error or "; ".join(raised_in_words(score))
        )
    return table


def raised_in_words(score: CurrentScore) -> Iterator[str]:
    """Sentences about when and with what a score raised its moment, and when it will."""
    if score.at_least is None or score.rearm_below is None:
        return
    at_least, below = wording.of_fraction(score.at_least), wording.of_fraction(score.rearm_below)
    if score.raised_at:
        value = f" with {wording.of_fraction(score.raised_with)}" if score.raised_with is not None else ""
        yield f"last raised at {wording.of_value(score.raised_at)}{value}"
    if score.is_raised:
        yield f"counts as raised until it is below {below}"
    elif score.is_raised is not None:
        yield f"raises {score.raises} from {at_least} on"


def offer_table(record: UserRecord, now: datetime, life: Life, past: Past | None) -> Grid:
    """The triggers that the document holds: their states, and the feedback in the order in which it came."""
    table = Grid(4)
    told = withheld.recorded(one.body for one in life.entries if one.kind is LifeKind.DECISION)
    unknown = past.unknown_revocations if past else frozenset()
    for trigger in record.triggers:
        reports = sorted(trigger.feedback, key=lambda report: report.at)
        feedback = ", ".join(report.kind for report in reports) or "no feedback"
        state = "revoked, then or later" if trigger.trigger_id in unknown else offer_state(trigger, now, told)
        table.row(trigger.campaign_id, state, f"until {wording.of_value(trigger.expires_at)}", feedback)
    return table


def offer_state(trigger: Trigger, now: datetime, told: withheld.Reasons) -> str:
    """The state of a trigger; of one that was withheld or revoked also the reason."""
    if trigger.withheld:
        return withheld.in_words(told.get(trigger.trigger_id) or withheld.reason_of_stored(trigger))
    state = trigger_state(trigger, now)
    return f"revoked: {why_revoked(trigger.revoke_reason)}" if state is TriggerState.REVOKED else state


def decided_table(record: UserRecord, life: Life) -> Grid:
    """The moments that time brought and that were decided, as the document holds them."""
    table, names = Grid(2), _moment_names(life)
    for at, cause in record.fired.causes:
        table.row(wording.of_value(at), names.get(cause, "a moment whose name is not kept"))
    return table


def due_table(record: UserRecord, due: Sequence[Due] | None) -> Grid:
    """The things that are due next; None: they are not known."""
    table = Grid(2)
    if due is None:
        table.row("unknown", "what is due next: only a document of the present tells it")
        return table
    for at, what in due:
        table.row(wording.of_value(at), what)
    if record.next_due_at:
        table.row(wording.of_value(record.next_due_at), "next look of the clock at this user")
    elif not due:
        table.row(NOTHING_DUE)
    return table


def _moment_names(life: Life) -> dict[str, str]:
    """The moments that changes, decisions and triggers tell, by the short names of their causes."""
    names: dict[str, str] = {}
    for entry in life.entries:
        match entry.kind:
            case LifeKind.CHANGE:
                told: list[Body] = [{**one, "moment": one["kind"]} for one in entry.body.get("moments", ())]
            case LifeKind.DECISION:
                told = entry.body["candidates"]
            case LifeKind.TRIGGER | LifeKind.EXPOSURE:
                told = [entry.body]
            case _:
                continue
        names |= {cause_of(one["cause"]): wording.of_moment(one) for one in told if "cause" in one}
    return names
