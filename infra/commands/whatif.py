"""`whatif`: the triggers of one history under two catalogs, compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, print_json
from infra.commands.inputs import instant, readable, valid_catalog, writing_into

if TYPE_CHECKING:
    from datetime import datetime

    from infra.replay.replay import Summary
    from infra.whatif.result import WhatIf
    from infra.whatif.study import CatalogReplay
    from shared.decisioning.catalog import Catalog

Sides = dict[str, Any]
"""The file and the version of both catalogs, by `before` and `after`."""


def whatif(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="The events, one JSON object per line, as for replay.")
    ],
    before: Annotated[Path, typer.Option("--from", metavar="FILE", help="The catalog to compare with.")],
    after: Annotated[Path, typer.Option("--to", metavar="FILE", help="The catalog that may replace it.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep both replays, in its folders before and after."),
    ] = None,
    now: Annotated[
        str | None, typer.Option(metavar="TIME", help="The time at which the clock ends; default: the last event.")
    ] = None,
    examples: Annotated[
        int,
        typer.Option(
            min=0, max=1000, metavar="N", help="The number of examples for each difference of a campaign."
        ),
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Compare the triggers of one history under two catalogs.

    Replays EVENTS once with each catalog and prints which triggers appear, vanish or change, by campaign, with
    causes and examples. Writes nothing unless --out is given. Exits with 0 whether anything differs or not, and
    with 2 if a catalog is invalid.

    Two triggers are the same if one campaign made an offer to one user because of one event or one passing of
    time. Such a trigger counts as changed if its offer, placement, expiry or variant differs.

    For example:

        upbeat whatif events.jsonl --from old.yaml --to new.yaml
    """
    from infra.whatif.study import what_if

    until = instant("--now", now)
    readable(events, "a file of events")
    files = {"before": before, "after": after}
    catalogs = {name: valid_catalog(file) for name, file in files.items()}
    with _folder(out) as folder, writing_into(folder):
        old, new = (
            _replayed(events, files[name], content, folder / name, until) for name, content in catalogs.items()
        )
        study = what_if(old, new, examples)
    sides = {name: {"file": str(files[name]), "version": content.version} for name, content in catalogs.items()}
    if as_json:
        _print_json(sides, new.summary, study)
    else:
        _print(sides, new.summary, study)


def _print_json(sides: Sides, done: "Summary", study: "WhatIf") -> None:
    from shared.queries.user_view import to_json

    print_json(to_json(sides | {"events_read": done.events_read, "now": done.now} | asdict(study)))


def _print(sides: Sides, done: "Summary", study: "WhatIf") -> None:
    from rich.console import Group
    from rich.text import Text

    from infra.terminal.console import print_page
    from infra.whatif.page import page

    lines = [f"{name:<7} {side['version']}  {side['file']}" for name, side in sides.items()]
    lines += [f"{done.events_read:,} events, up to {done.now:%Y-%m-%d %H:%M} UTC", ""]
    print_page(Group(*(Text(line, no_wrap=True, overflow="ignore") for line in lines), page(study)))


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """The folder for both replays; a temporary one, deleted afterwards, if `out` is None."""
    if out:
        yield out
        return
    with TemporaryDirectory(prefix="upbeat-whatif-") as folder:
        yield Path(folder)


def _replayed(
    events: Path, file: Path, catalog: "Catalog", folder: Path, until: "datetime | None"
) -> "CatalogReplay":
    from infra.replay.replay import replay
    from infra.terminal.progress import bar
    from infra.whatif.study import CatalogReplay

    with bar(f"replaying by {file.name}") as progress:
        summary = replay(events, folder, file, until, keep_store=True, progress=progress)
    campaigns = {campaign.id for listeners in catalog.listeners.values() for campaign in listeners}
    return CatalogReplay(folder, summary, campaigns | catalog.document.campaigns.keys())
