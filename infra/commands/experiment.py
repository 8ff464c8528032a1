"""`experiment`: what an experiment did, what it would need, and the guard that stops one that does harm."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import WAREHOUSE, AsJson, Project, Where, print_json, print_result
from infra.commands.inputs import valid_catalog
from infra.terminal.help_page import Command

if TYPE_CHECKING:
    from datetime import date

    from infra.analytics.experiments.guard import Guarded, Harmful

Id = Annotated[str, typer.Argument(metavar="ID", help="The experiment; for a holdout, holdout/NAME.")]
Control = Annotated[
    str | None, typer.Option(metavar="VARIANT", help="Compare with this variant; default: as the catalog says.")
]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="NAME", help="A goal in place of the catalog's; may be repeated."),
]
PACKAGES = ("scipy", "tea_tasting")

experiment = typer.Typer(no_args_is_help=True, help="Report on an experiment, plan one, and guard those that run.")


@experiment.command(cls=Command)
def report(
    id_: Id,
    where: Where = WAREHOUSE,
    control: Control = None,
    metric: Metrics = None,
    window: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="DAYS",
            help="Count outcomes within so many days; default: the longest that has passed for half of them.",
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="Only units first exposed since then.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report with its plots as one HTML page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what an experiment did, and how sure that is.

    Reads the models of the warehouse. Prints the sample ratio first: if it is not as it should be, trust nothing
    below. Then who is in the experiment and who is left out and why; the difference of each arm from control by
    the goals and guardrails of the catalog, with an interval for one look and one for any number of looks; lift by
    holdouts; and what was revoked before it was seen. docs/experiment-reports.md explains every number.

    Exit codes: 0 if there is a report, whatever it says, 2 if the experiment, its control, its units or its
    metrics are missing.

    For example:

        upbeat experiment report gift --html gift.html
        upbeat experiment report holdout/everything --metric renewed
    """
    from infra.analytics import require

    require(*PACKAGES, *(("altair", "vl_convert") if html else ()))
    from infra.analytics.experiments.page import page
    from infra.analytics.experiments.report import Asked
    from infra.analytics.experiments.report import report as reported
    from infra.analytics.warehouse.engine import open_engine
    from infra.terminal.console import print_page
    from infra.terminal.progress import spinner

    asked = Asked(control, tuple(metric or ()), window, _day("--since", since))
    with open_engine(where) as engine, spinner(f"computing the report on {id_}"):
        found = reported(engine, id_, asked)
    if html:
        from infra.analytics.experiments.html_page import html as page_of

        with spinner("drawing the plots"):
            drawn = page_of(found)
        _write(html, drawn)
    if as_json:
        _print_json(asdict(found) | {"harms": [asdict(one) | {"is_sure": one.is_sure} for one in found.harms]})
    else:
        print_page(page(found))


@experiment.command(cls=Command)
def plan(
    id_: Id,
    where: Where = WAREHOUSE,
    catalog: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The catalog with the experiment; default: the newest published."),
    ] = None,
    effect: Annotated[
        float,
        typer.Option(min=0.0001, max=100, metavar="SHARE", help="The effect to find, as a share of the mean."),
    ] = 0.05,
    days: Annotated[int, typer.Option(min=1, max=3650, metavar="N", help="The days of exposure.")] = 28,
    window: Annotated[
        int, typer.Option(min=1, metavar="DAYS", help="Count outcomes within so many days: 7, 14, 28 or 60.")
    ] = 28,
    metric: Metrics = None,
    as_json: AsJson = False,
) -> None:
    """Tell what an experiment would need, before it starts.

    Takes the units a day and the outcomes of the experiment's campaigns from the warehouse. Prints the units and
    days that the effect needs, for one look at the end and for looks every day, the effect that --days can show,
    and what all of it assumes. Exits with 2 if the experiment, its control or all history is missing.

    For example:

        upbeat experiment plan gift --catalog new.yaml --effect 0.1
    """
    from infra.analytics import require

    require(*PACKAGES)
    from infra.analytics.experiments.plan import Question, newest_catalog
    from infra.analytics.experiments.plan import plan as planned
    from infra.analytics.experiments.plan_page import page
    from infra.analytics.warehouse.engine import open_engine
    from infra.terminal.console import print_page
    from infra.terminal.progress import spinner

    with open_engine(where) as engine, spinner(f"planning {id_}"):
        document = valid_catalog(catalog).document if catalog else newest_catalog(engine)
        found = planned(engine, document, id_, Question(effect, days, window, tuple(metric or ())))
    if as_json:
        _print_json(asdict(found))
    else:
        print_page(page(found))


@experiment.command(cls=Command)
def guard(
    where: Where = WAREHOUSE,
    project: Project = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what it would stop; publish nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop the experiments of which a guardrail is surely worse.

    Looks at every running experiment whose catalog says auto_stop. If a guardrail of an arm is worse by more than
    harm_margin, at a level that allows a look every day, publishes the catalog in force with that experiment
    stopped, as upbeat catalog publish does. Campaigns that would now make the harmful offer to all users are
    paused. To be run by one scheduled job, after the models of the warehouse were run.

    Exit codes: 0 if nothing does harm, or what does is stopped (or would be, with --dry-run); 1 if something
    fails, or if harm was found that the sample ratio makes doubtful: then somebody has to look.

    For example:

        upbeat experiment guard --dry-run
    """
    from infra.analytics import require

    require(*PACKAGES)
    from infra.analytics.experiments.guard import guarded, harmful_arms
    from infra.analytics.warehouse.engine import open_engine
    from infra.terminal.progress import spinner

    with open_engine(where) as engine, spinner("looking at the guardrails"):
        found = list(guarded(engine))
    harmful = harmful_arms(found)
    done = _stop(harmful, project) if harmful and not dry_run else {}
    facts = [asdict(one) | {"must_stop": one.must_stop} for one in found]
    lines = [*(line for one in found for line in _lines(one)), *done.get("lines", ())]
    if dry_run and harmful:
        lines.append(f"Would stop: {', '.join(harmful)} (dry run: nothing is published).")
    result = {"experiments": facts, "stopped": done.get("stopped", []), "paused": done.get("paused", [])}
    result |= {"catalog_version": done.get("version"), "dry_run": dry_run}
    print_result("\n".join(lines) or "No running experiment says auto_stop.", as_json=as_json, facts=result)
    if any(one.needs_eyes for one in found):
        raise typer.Exit(1)


def _lines(one: "Guarded") -> list[str]:
    if one.harms:
        told = [f"{one.experiment_id}: surely worse: {harm}" for harm in one.harms]
        return [*told, f"{one.experiment_id}: not stopped: {one.doubt}"] if one.doubt else told
    return [f"{one.experiment_id}: {one.doubt or f'no harm is sure, in {one.tested} comparisons'}"]


def _stop(harmful: "Harmful", project: str | None) -> dict[str, Any]:
    """Put a catalog in force in which these experiments are stopped, in place of the one that was read."""
    from infra.analytics.experiments.guard import stopped
    from infra.commands.common import bus_of
    from infra.errors import InfraError
    from infra.remote.firestore import client_of
    from infra.remote.publication import Publication, advice, put_in_force
    from infra.remote.sweeps import in_force

    client, bus = client_of(project), bus_of(project)
    before = in_force(client)
    if before is None:
        raise InfraError("catalog: expected a catalog in force, found none")
    change = stopped(before.catalog, harmful)
    if change is None:
        return {"lines": ["Nothing is published: the catalog in force stops them already, or has no auto_stop."]}
    harm = f"a guardrail is surely worse: {', '.join(change.stopped)}"
    publication = Publication(change.catalog, before.catalog, (), "experiment guard", emergency=harm)
    done = put_in_force(client, bus, publication, project, replacing=before.catalog.number)
    lines = [f"Stopped: {', '.join(change.stopped)}. Catalog {change.catalog.version} is in force."]
    if change.paused:
        lines.append(f"Paused, as they would make the harmful offer to all: {', '.join(change.paused)}.")
    version = change.catalog.version
    return {
        "lines": [*lines, *advice(done.recalls)],
        "version": version,
        "stopped": list(change.stopped),
        "paused": list(change.paused),
    }


def _day(option: str, text: str | None) -> "date | None":
    """The value of an option as a day. Raises `UsageError`."""
    from datetime import date

    from infra.errors import UsageError

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: expected a day such as 2026-03-01, in UTC, found {text!r}") from None


def _write(file: Path, text: str) -> None:
    from infra.errors import InfraError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InfraError(f"{file}: expected a file to write, found {error.strerror}") from error


def _print_json(facts: Any) -> None:
    from shared.queries.user_view import to_json

    print_json(to_json(facts))
