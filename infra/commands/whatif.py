"""`whatif`: what another catalog would have offered, on the events that really came."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, say
from infra.commands.inputs import instant, readable, valid_catalog, writing_into

if TYPE_CHECKING:
    from datetime import datetime

    from infra.replay.replay import Summary
    from infra.whatif.result import WhatIf
    from infra.whatif.study import Side
    from shared.decisioning.catalog import Catalog

Sides = dict[str, Any]
"""Of both catalogs, the file and the version."""


def whatif(
    events: Annotated[Path, typer.Argument(help="The events, one JSON object a line, as for replay.")],
    before: Annotated[Path, typer.Option("--from", help="The catalog to compare with.")],
    after: Annotated[Path, typer.Option("--to", help="The catalog that might come after it.")],
    out: Annotated[
        Path | None, typer.Option(help="Keep both replays here, in the folders before and after.")
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where the clock stands at the end; else at the last event.")
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, max=1000, help="How many examples of each kind and campaign.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Replay a history by two catalogs, and show which triggers appear, vanish or change.

    Triggers are the same where one event or one passing of time led one campaign to make an offer to one user:
    such a trigger changes where what is offered, where, until when, or in which variant is not the same.
    """
    from infra.whatif.study import what_if

    until = instant("--now", now)
    readable(events, "a file of events")
    files = {"before": before, "after": after}
    catalogs = {name: valid_catalog(file) for name, file in files.items()}
    with _folder(out) as folder, writing_into(folder):
        old, new = (_replayed(events, files[name], it, folder / name, until) for name, it in catalogs.items())
        study = what_if(old, new, examples)
    sides = {name: {"file": str(files[name]), "version": it.version} for name, it in catalogs.items()}
    if as_json:
        _say(sides, new.summary, study)
    else:
        _print(sides, new.summary, study)


def _say(sides: Sides, done: "Summary", study: "WhatIf") -> None:
    from shared.queries.user_view import to_json

    facts = sides | {"events_read": done.events_read, "now": done.now} | asdict(study)
    say("", as_json=True, facts=to_json(facts))


def _print(sides: Sides, done: "Summary", study: "WhatIf") -> None:
    from rich.console import Console

    from infra.whatif.page import page

    console = Console(highlight=False)
    for name, side in sides.items():
        console.print(f"{name:<7} {side['version']}  {side['file']}", markup=False, soft_wrap=True)
    console.print(f"{done.events_read:,} events, up to {done.now:%Y-%m-%d %H:%M} UTC\n")
    console.print(page(study))


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """The folder for both replays; one that is gone afterwards where none was asked for."""
    if out:
        yield out
        return
    with TemporaryDirectory(prefix="upbeat-whatif-") as folder:
        yield Path(folder)


def _replayed(events: Path, file: Path, catalog: "Catalog", folder: Path, until: "datetime | None") -> "Side":
    from infra.replay.replay import replay
    from infra.terminal.progress import bar
    from infra.whatif.study import Side

    with bar(f"replaying by {file.name}") as progress:
        summary = replay(events, folder, file, until, keep_store=True, progress=progress)
    campaigns = {campaign.id for those in catalog.listeners.values() for campaign in those}
    return Side(folder, summary, campaigns | catalog.document.campaigns.keys())
