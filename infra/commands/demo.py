"""`demo`: see what Upbeat does, on a real history and on a made-up story."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, say
from infra.commands.inputs import writing_into

if TYPE_CHECKING:
    from infra.demo.tour import History, Told
    from infra.inspect.timeline import Entry


def demo(
    out: Annotated[Path, typer.Option(help="The folder for what comes of it.")] = Path("out/demo"),
    as_json: AsJson = False,
) -> None:
    """Replay the purchases of 2,357 real customers, and a made-up story, and tell what came of them."""
    from rich.console import Console

    from infra.demo import cdnow, page, story, tour
    from infra.terminal.progress import bar

    with writing_into(out):
        with bar("replaying 6,919 purchases") as progress:
            history = tour.history(out / "cdnow", cdnow.events(), progress)
        told = tour.told_story(out / "story", story.load())
    if as_json:
        say("", as_json=True, facts=_facts(history, told))
        return
    console = Console(highlight=False)
    for part in (page.of_history(history), page.of_story(told), page.of_files(history, told)):
        console.print(part)


def _facts(history: "History", told: "Told") -> dict[str, Any]:
    from shared.queries.user_view import to_json

    chapters = [
        {"title": chapter.title, "told": chapter.told, "timeline": _timeline(entries)}
        for chapter, entries in told.chapters
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
                "folder": str(told.folder),
                "summary": asdict(told.summary),
                "user_id": told.user_id,
                "chapters": chapters,
            },
        }
    )
    return facts


def _timeline(entries: Iterable["Entry"]) -> list[dict[str, Any]]:
    return [entry._asdict() for entry in entries]
