"""`whatif`: the triggers of one history under two catalogs, compared."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.commands.beam_runner import HERE, Runner, check_runner, run_beam
from infra.commands.common import AsJson, print_json
from infra.commands.inputs import deployment_terms, instant, readable, valid_catalog, writing_into
from infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from infra.whatif.catalog_replay import CatalogReplay
    from shared.decisioning.catalog import Catalog
    from shared.domain.terms import Terms


class _Plan(NamedTuple):
    """Both replays of a study. Files and catalogs are by `before` and `after`."""

    events: Path
    files: "Mapping[str, Path]"
    catalogs: "Mapping[str, Catalog]"
    folder: Path
    until: "datetime | None"
    switch_at: "datetime | None"
    terms: "Terms"
    examples: int


def whatif(  # noqa: PLR0913 - each is an option
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS", help="The events, one JSON object per line, as for replay.")
    ],
    before: Annotated[Path, typer.Option("--from", metavar="FILE", help="The catalog to compare with.")],
    after: Annotated[Path, typer.Option("--to", metavar="FILE", help="The catalog that may replace it.")],
    *,
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
    runner: Runner = HERE,
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

    With --runner beam the same study is an Apache Beam pipeline, which also takes the folder of a raw log as
    EVENTS; `python -m infra.beam whatif` runs it on many machines.

    For example:

        upbeat whatif events.jsonl --from old.yaml --to new.yaml
    """
    check_runner(runner)
    until, switched = instant("--now", now), instant("--switch-at", switch_at)
    if runner == HERE or not events.is_dir():
        readable(events, "a file of events")
    if runner != HERE and out:
        raise UsageError("--out: expected --runner local, since a pipeline keeps no replays")
    files = {"before": before, "after": after}
    catalogs = {name: valid_catalog(file) for name, file in files.items()}
    with _folder(out) as folder, writing_into(folder):
        plan = _Plan(events, files, catalogs, folder, until, switched, deployment_terms(), examples)
        facts = _studied(plan) if runner == HERE else _studied_by_beam(plan)
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _studied(plan: "_Plan") -> dict[str, Any]:
    from infra.terminal.progress import spinner
    from infra.whatif.result import facts_of
    from infra.whatif.study import what_if

    old, new = (_replayed(plan, name) for name in plan.files)
    with spinner("comparing the triggers"):
        study = what_if(old, new, plan.examples, plan.switch_at)
    sides = {
        name: {"file": str(plan.files[name]), "version": content.version}
        for name, content in plan.catalogs.items()
    }
    return facts_of(sides, new.summary.events_read, new.summary.now, study)


def _studied_by_beam(plan: "_Plan") -> dict[str, Any]:
    from shared.contracts.outbound.base import rfc3339

    result = plan.folder / "whatif.json"
    times = {"--switch-at": plan.switch_at, "--now": plan.until}
    run_beam(
        "whatif",
        *(plan.events, "--from", plan.files["before"], "--to", plan.files["after"], "--out", result),
        *("--examples", plan.examples),
        *(word for option, time in times.items() if time for word in (option, rfc3339(time))),
    )
    facts: dict[str, Any] = json.loads(result.read_bytes())
    return facts


def _print(facts: dict[str, Any]) -> None:
    from datetime import datetime

    from pydantic import TypeAdapter
    from rich.console import Group
    from rich.text import Text

    from infra.terminal.console import print_page
    from infra.whatif.page import page
    from infra.whatif.result import WhatIf

    sides = {name: facts[name] for name in ("before", "after")}
    lines = [f"{name:<7} {side['version']}  {side['file']}" for name, side in sides.items()]
    now = datetime.fromisoformat(facts["now"])
    lines += [f"{facts['events_read']:,} events, up to {now:%Y-%m-%d %H:%M} UTC", ""]
    study = TypeAdapter(WhatIf).validate_python(facts)
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
