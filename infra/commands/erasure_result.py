"""The result of an erasure, for people and for programs."""

from datetime import datetime
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.commands.erasure_places import Asked
from infra.terminal.invocation import again

if TYPE_CHECKING:
    from infra.analytics.warehouse.erasure import Removed
    from infra.privacy.target import Counts
    from infra.raw.erased import Erased

AFTERWARDS = (
    "Then build the models anew (upbeat warehouse run --full-refresh), and export features, if there are any",
)
"""The work that is left to others, once for all who were erased."""


class Done(NamedTuple):
    """The result."""

    asked: Asked
    erased: "Erased"
    dry: bool
    is_new: bool
    """False if the user was erased before, and only what was left is removed."""
    counts: "Counts"
    tables: "list[Removed]"
    may_go_at: datetime
    """The instant (UTC) from which the tombstone may go."""

    @property
    def too_fresh(self) -> list[str]:
        """The tables with rows that could not be removed yet."""
        return [removed.table for removed in self.tables if removed.is_too_fresh]


def facts(done: Done) -> dict[str, Any]:
    """The result for programs."""
    return {
        "user_id": done.asked.user,
        "erased_at": done.erased.at.isoformat(),
        "dry_run": done.dry,
        "erased_before": not done.is_new,
        "removed": dict(done.counts),
        "rows": {removed.table: removed.rows for removed in done.tables if not removed.is_too_fresh},
        "too_fresh": done.too_fresh,
        "tombstone_may_go_at": done.may_go_at.isoformat(),
    }


def text(done: Done) -> str:
    """The result for people, with what is to be run later."""
    asked, verb = done.asked, "would go" if done.dry else "removed"
    command = f"{again()} erase {quote(asked.user)}{asked.options}"
    found = {**done.counts, **{f"rows of {each.table}": each.rows for each in done.tables}}
    removed = [f"  {kind}: {count:,} {verb}" for kind, count in found.items() if count]
    lines = [_head(done), *(removed or ["  nothing else was there"])]
    if done.too_fresh:
        lines.append(f"BigQuery refuses to remove rows that have just come of {', '.join(done.too_fresh)}")
    if done.dry:
        return "\n".join(lines)
    if done.tables:
        lines += [f"In a day, remove what has landed since: {command} --again", *AFTERWARDS]
    lines.append(f"From {day(done.may_go_at)} UTC on, remove the tombstone: {command} --remove-tombstone")
    return "\n".join(lines)


def _head(done: Done) -> str:
    place = done.asked.place
    if not done.is_new:
        return f"{done.asked.user} was erased at {day(done.erased.at)} UTC; of what was left in {place}:"
    return f"{'would erase' if done.dry else 'erased'} {done.asked.user} in {place}"


def day(at: datetime) -> str:
    """An instant, to the minute."""
    return f"{at:%Y-%m-%d %H:%M}"
