"""The demo's terminal pages: tables and timelines that fit 80 columns and need no colour."""

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.demo.tour import HistoryResult, StoryResult
from infra.inspect import timeline
from infra.terminal.invocation import again

INDENT = (0, 0, 0, 2)


def of_history(history: HistoryResult) -> Group:
    """The results of the real history: counts, campaigns, and the timeline of one user."""
    summary = history.summary
    return Group(
        _title("A real history"),
        Text(
            f"{summary.events_read:,} purchases of {sum(history.users.values()):,} customers of a music shop, from"
            " 1997 to 1998, were replayed through the functions, each as a payment for 30 days, at"
            f" {summary.events_per_second:,.0f} events a second. In between, the virtual clock ended periods and"
            " issued offers at their due times."
        ),
        Text(),
        _side_by_side(_users(history), _campaigns(history)),
        _title(f"One customer: {history.user_id}"),
        timeline.table(history.timeline),
    )


def of_story(story: StoryResult) -> Group:
    """The made-up story: each chapter with its part of the timeline."""
    parts: list[RenderableType] = [_title("A made-up story, in chapters")]
    for number, (chapter, entries) in enumerate(story.chapters, start=1):
        parts += [Text(f"{number}. {chapter.title}", style="bold"), Text(chapter.text, style="italic")]
        parts += [Padding(timeline.table(entries), (0, 0, 1, 2))]
    return Group(*parts)


def of_files(history: HistoryResult, story: StoryResult) -> Group:
    """The folders and files that the demo wrote, and commands to try next."""
    lines = [
        f"{history.folder} and {story.folder} each contain:",
        "events, subscriptions, triggers, changes, decisions, exposures and dead-letter",
        "(.jsonl), summary.json, and upbeat.sqlite with every user's document. Next:",
        f"  {again()} show {history.user_id} --store {history.folder}",
        f"  {again()} show {story.user_id} --store {story.folder}",
        f"  {again()} report campaigns {history.folder}",
    ]
    return Group(_title("Files"), *(Text(line, no_wrap=True, overflow="ignore") for line in lines))


def _title(text: str) -> Padding:
    return Padding(Text(text, style="bold underline"), (1, 0))


def _side_by_side(*tables: Table) -> Table:
    grid = Table.grid(padding=(0, 4, 0, 0))
    grid.add_row(*tables)
    return grid


def _users(history: HistoryResult) -> Table:
    table = _table("status at the end", "users")
    for status, count in history.users.items():
        table.add_row(status, f"{count:,}")
    return table


def _campaigns(history: HistoryResult) -> Table:
    table = _table("campaign", "triggers issued", "revoked")
    for campaign, counts in history.campaigns.items():
        table.add_row(campaign, f"{counts['issued']:,}", f"{counts['revoked']:,}")
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table
