"""The page of `catalog history`."""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from infra.remote.catalog_history import PublishedVersion

IN_FORCE = "in force"


def page(publications: Iterable[PublishedVersion]) -> Table:
    """One line a publication."""
    known = [*publications]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    approved = ("approved by",) if any(map(_approval, known)) else ()
    for column in ("number", "version", "published (UTC)", "by", *approved, "", "what changed"):
        table.add_column(column, overflow="fold")
    for each in known:
        number = "" if each.number is None else str(each.number)
        at = f"{each.published_at:%Y-%m-%d %H:%M:%S}" if each.published_at else ""
        style = "bold" if each.in_force else None
        now = IN_FORCE if each.in_force else ""
        approver = (_approval(each),) if approved else ()
        cells = (number, each.version, at, each.by or "", *approver, now, each.note)
        table.add_row(*map(Text, cells), style=style)
    return table


def _approval(publication: PublishedVersion) -> str:
    if publication.emergency:
        return f"nobody: {publication.emergency}"
    return publication.approved_by or ""
