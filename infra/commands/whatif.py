"""`whatif`: the triggers of one history under two catalogs, compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.commands.common import AsJson, print_json
from infra.commands.inputs import deployment_terms, instant, readable, valid_catalog, writing_into

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from infra.replay.replay import Summary
    from infra.whatif.catalog_replay import CatalogReplay
    from infra.whatif.result import WhatIf
    from shared.decisioning.catalog import Catalog
    from shared.domain.terms import Terms

Sides = dict[str, Any]
"""The file and the version of both catalogs, by `before` and `after`."""


class _Plan(NamedTuple):
    """Both replays of a study. Files and catalogs are by `before` and `after`."""

    events: Path
    files: "Mapping[str, Path]"
    catalogs: "Mapping[str, Catalog]"
    folder: Path
    until: "datetime | None"
    switch_at: "datetime | None"
    terms: "Terms"


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
    switch_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Both replays have --from until TIME; only then one has --to."),
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
    with 2 if a catalog is invalid. UPBEAT_GRACE_DAYS and the like hold here as they do in the functions.

    Two triggers are the same if one campaign made an offer to one user because of one event or one passing of
    time. Such a trigger counts as changed if its offer, placement, expiry or variant differs.

    With --switch-at, the catalog of --to takes over in the midst of the history, as if it were published then:
    users keep their triggers and their variants of experiments. Prints how many users of a changed experiment keep
    their variant and how new ones are split, and names the campaigns that the history cannot show.

    For example:

        upbeat whatif events.jsonl --from old.yaml --to new.yaml
    """
    from infra.terminal.progress import spinner
    from infra.whatif.study import what_if

    until, switched = instant("--now", now), instant("--switch-at", switch_at)
    readable(events, "a file of events")
    files = {"before": before, "after": after}
    catalogs = {name: valid_catalog(file) for name, file in files.items()}
    with _folder(out) as folder, writing_into(folder):
        plan = _Plan(events, files, catalogs, folder, until, switched, deployment_terms())
        old, new = (_replayed(plan, name) for name in files)
        with spinner("comparing the triggers"):
            study = what_if(old, new, examples, switched)
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
    from tempfile import TemporaryDirectory

    if out:
        yield out
        return
    with TemporaryDirectory(prefix="upbeat-whatif-") as folder:
        yield Path(folder)


def _replayed(plan: "_Plan", name: str) -> "CatalogReplay":
    """The replay with one of the catalogs; with a switch, the catalog before holds until then."""
    from infra.replay.replay import replay
    from infra.replay.switch import Switch
    from infra.terminal.progress import bar
    from infra.whatif.catalog_replay import CatalogReplay

    file, folder = plan.files[name], plan.folder / name
    before = plan.files["before"]
    catalog = Switch(before, file, plan.switch_at) if plan.switch_at and file != before else file
    with bar(f"replaying by {file.name}") as progress:
        summary = replay(
            *(plan.events, folder, catalog, plan.until),
            keep_store=True,
            terms=plan.terms,
            progress=progress,
        )
    return CatalogReplay(folder, summary, plan.catalogs[name])
