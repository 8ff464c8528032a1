"""`demo`: Upbeat at work on a real history and on a made-up story."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, print_json
from infra.commands.inputs import writing_into

if TYPE_CHECKING:
    from infra.demo.tour import HistoryResult, StoryResult
    from infra.inspect.timeline import TimelineEntry


def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder for the results.")] = Path("out/demo"),
    as_json: AsJson = False,
) -> None:
    """Replay a real purchase history and a made-up story.

    Sends 6,919 purchases of 2,357 customers, and then the events of one invented user, through the code of the
    functions on this machine, on a virtual clock. Prints counts, campaigns and timelines. Writes the messages, a
    summary and every user's document into the folders cdnow and story of --out. Needs no network, no emulators and
    no account.

    For example:

        upbeat demo --out /tmp/demo
    """
    from infra.demo import cdnow, story, tour
    from infra.terminal.progress import bar

    with writing_into(out):
        with bar("replaying 6,919 purchases") as progress:
            history = tour.replay_history(out / "cdnow", cdnow.events(), progress)
        tale = tour.replay_story(out / "story", story.load())
    if as_json:
        print_json(_facts(history, tale))
    else:
        _print(history, tale)


def _print(history: "HistoryResult", tale: "StoryResult") -> None:
    from rich.console import Group

    from infra.demo import page
    from infra.terminal.console import print_page

    print_page(Group(page.of_history(history), page.of_story(tale), page.of_files(history, tale)))


def _facts(history: "HistoryResult", tale: "StoryResult") -> dict[str, Any]:
    from shared.queries.user_view import to_json

    chapters = [
        {"title": chapter.title, "told": chapter.text, "timeline": _timeline(entries)}
        for chapter, entries in tale.chapters
    ]
    facts: dict[str, Any] = to_json(
        {
            "history": {
                "folder": str(history.folder),
                "summary": asdict(history.summary),
                "users": history.users,
                "campaigns": history.campaigns,
                "user_id": history.user_id,
                "timeline": _timeline(history.timeline),
            },
            "story": {
                "folder": str(tale.folder),
                "summary": asdict(tale.summary),
                "user_id": tale.user_id,
                "chapters": chapters,
            },
        }
    )
    return facts


def _timeline(entries: Iterable["TimelineEntry"]) -> list[dict[str, Any]]:
    return [entry._asdict() for entry in entries]
