"""`policy`: refresh the probabilities of arms, judge a policy before it is used, and simulate a season."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import WAREHOUSE, AsJson, Where, print_json
from infra.commands.inputs import instant, readable, valid_catalog, writing_into
from infra.errors import UsageError
from infra.terminal.help_page import Command
from infra.whole_file import replace_text

if TYPE_CHECKING:
    from infra.analytics.policies.outcomes import Outcomes
    from infra.analytics.policies.refresh import Terms
    from shared.decisioning.document.schema import ExperimentTerms
    from shared.decisioning.experiments.policy import Policy

policy = typer.Typer(no_args_is_help=True, help="Refresh, judge or simulate the policy of an experiment.")

ExperimentId = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="The experiment, as the catalog names it.")
]
CatalogOption = Annotated[
    Path,
    typer.Option(
        "--catalog", metavar="FILE", help="The catalog that has the experiment; its policy lies beside it."
    ),
]
Days = Annotated[int, typer.Option(min=1, max=3650, help="Take the decisions of so many days before --now.")]
Now = Annotated[
    str | None, typer.Option(metavar="TIME", help="As of this instant, RFC 3339; what came later is not known.")
]


@policy.command(cls=Command)
def refresh(
    experiment: ExperimentId,
    catalog: CatalogOption,
    where: Where = WAREHOUSE,
    purpose: Annotated[
        str, typer.Option(metavar="PURPOSE", help="exploit: at least 2% for each arm. measure: at least 5%.")
    ] = "exploit",
    days: Days = 90,
    now: Now = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a new policy from what came of the last one.

    Each arm gets the probability that it is the best, and at least the floor of the purpose. Young decisions count
    by the share of outcomes that is known at their age. A success is what the catalog's goal_metrics name first,
    `converted` or `accepted`; without either it is `converted`. If the experiment lists segments, the policy tells
    them apart only if that surely brings more than the best fixed arm.

    The file beside the catalog is replaced. Publish it as any other: `upbeat catalog publish` takes it along.

    Exit codes: 0 if a policy was made, 1 if there are no decisions to learn from, 2 for a catalog or options that
    make no sense.

    For example:

        upbeat policy refresh words --catalog catalog.yaml --dry-run
    """
    from infra.analytics.policies.facts import refresh_facts
    from infra.analytics.policies.page import refresh_page
    from infra.analytics.policies.refresh import refresh as refreshed
    from infra.terminal.console import print_page
    from infra.terminal.progress import spinner

    asked = _asked(experiment, catalog, now)
    outcomes = _outcomes(asked, where, days)
    terms = _terms(asked.terms, purpose)
    with spinner("computing the probabilities"):
        done = refreshed(outcomes, terms, asked.now)
    target = catalog.parent / "policies" / f"{asked.terms.policy}.json"
    if not dry_run:
        _write(target, done.document)
    if as_json:
        print_json(refresh_facts(done) | {"file": None if dry_run else str(target)})
        return
    print_page(refresh_page(done))
    typer.echo(f"\nnot written (--dry-run): {target}" if dry_run else f"\nwritten: {target}")


@policy.command(cls=Command)
def evaluate(
    experiment: ExperimentId,
    catalog: CatalogOption,
    where: Where = WAREHOUSE,
    file: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="Judge this policy; without it the one beside the catalog."),
    ] = None,
    days: Days = 90,
    now: Now = None,
    as_json: AsJson = False,
) -> None:
    """Say what a policy would have brought, before it is used.

    All it needs are the decisions that another policy made by chance. Prints the rate of success by inverse
    propensity scoring and by the doubly robust estimator, each with its 95% interval, and by how much the policy
    exceeds every arm given always. Writes nothing.

    Exit codes: 0 if the policy surely exceeds every fixed arm, 1 if it does not or there are no decisions, 2 for
    files or options that make no sense.

    For example:

        upbeat policy evaluate words --catalog catalog.yaml --policy new.json
    """
    from infra.analytics.policies.facts import evaluation_facts
    from infra.analytics.policies.off_policy import evaluate as evaluated
    from infra.analytics.policies.page import evaluation_page
    from infra.analytics.policies.refresh import as_given
    from infra.terminal.console import print_page
    from infra.terminal.progress import spinner

    asked = _asked(experiment, catalog, now)
    chosen = file or catalog.parent / "policies" / f"{asked.terms.policy}.json"
    terms = _terms(asked.terms, "exploit")
    candidate = as_given(_policy_in(chosen, asked), terms.floor_of_catalog)
    outcomes = _outcomes(asked, where, days)
    with spinner("judging the policy"):
        found = evaluated(lambda _part: candidate, outcomes, terms.variants, outcomes.curve())
    if as_json:
        print_json({"policy": str(chosen), **evaluation_facts(found)})
    else:
        print_page(evaluation_page({str(chosen): found}))
    if not found.clears_every_fixed_arm:
        raise typer.Exit(1)


@policy.command(cls=Command)
def simulate(
    arms: Annotated[
        str, typer.Option(metavar="RATES", help="The true rate of each arm, such as 0.106,0.151,0.183.")
    ] = "0.106,0.151,0.183",
    decisions: Annotated[int, typer.Option(min=1, max=10_000_000, help="The decisions of the season.")] = 64_000,
    every: Annotated[int, typer.Option(min=1, help="Decisions between two refreshes.")] = 1_000,
    delay: Annotated[
        str,
        typer.Option(
            metavar="N", help="Decisions until an outcome is known: always (4000) or on average (~4000)."
        ),
    ] = "0",
    floor: Annotated[float, typer.Option(min=0, max=0.5, help="The least probability of each arm.")] = 0.02,
    seeds: Annotated[int, typer.Option(min=1, max=1_000, help="The number of seasons.")] = 20,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a page with plots.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a season of a policy that is refreshed.

    Prints what was captured of the way from equal shares to always giving the best arm, and the successes that it
    lost, on average of all seeds. Delays that are so long on average are exponentially distributed.

    For example:

        upbeat policy simulate --arms 0.10,0.11 --decisions 20000 --delay ~2000
    """
    from infra.analytics import require

    require("numpy", "scipy", *(("altair", "vl_convert") if html else ()))
    from infra.analytics.policies.page import season_page
    from infra.analytics.policies.seasons import simulate_all
    from infra.analytics.policies.simulation import Season
    from infra.terminal.console import print_page
    from infra.terminal.progress import bar, spinner

    if decisions / every > 2_000:
        raise UsageError(f"--every: expected at most 2,000 refreshes, found {decisions // every:,}")
    if not delay.removeprefix("~").isdecimal():
        raise UsageError(f"--delay: expected a whole number, or ~ and a whole number, found {delay!r}")
    is_spread, mean = delay.startswith("~"), int(delay.removeprefix("~"))
    season = Season(_rates(arms), decisions, every, mean, is_spread, floor)
    with bar("simulating") as progress:
        seasons = simulate_all(season, seeds, progress)
    if html:
        from infra.analytics.policies.plot import page

        with spinner("drawing the plots"):
            drawn = page(seasons)
        with writing_into(html):
            html.write_text(drawn, encoding="utf-8")
    if as_json:
        print_json(seasons.facts())
    else:
        print_page(season_page(seasons))


@dataclass(frozen=True, slots=True)
class _Asked:
    """An experiment with a policy, and the instant as of which it is looked at."""

    experiment: str
    terms: "ExperimentTerms"
    now: datetime


def _asked(experiment: str, catalog: Path, now: str | None) -> _Asked:
    from infra.analytics import require

    require("numpy", "scipy")
    experiments = valid_catalog(catalog).document.experiments
    if experiment not in experiments:
        known = ", ".join(sorted(experiments)) or "none at all"
        raise UsageError(f"{catalog}: expected an experiment {experiment}, found {known}")
    terms = experiments[experiment]
    if terms.policy is None:
        raise UsageError(f"{catalog}: expected a policy for experiment {experiment}, found weights")
    return _Asked(experiment, terms, instant("--now", now) or datetime.now(UTC))


def _outcomes(asked: _Asked, where: str, days: int) -> "Outcomes":
    from infra.analytics.policies.outcomes import Outcome, read_outcomes
    from infra.analytics.warehouse.engine import open_engine
    from infra.terminal.progress import spinner

    goals = (Outcome(metric) for metric in asked.terms.goal_metrics if metric in [*Outcome])
    with open_engine(where) as engine, spinner("reading decisions"):
        return read_outcomes(engine, asked.experiment, asked.now, days, next(goals, Outcome.CONVERTED))


def _terms(of_catalog: "ExperimentTerms", purpose: str) -> "Terms":
    from infra.analytics.policies.allocation import Purpose
    from infra.analytics.policies.refresh import Terms

    if purpose not in [*Purpose]:
        raise UsageError(f"--purpose: expected {' or '.join(Purpose)}, found {purpose!r}")
    variants = tuple(sorted(variant.id for variant in of_catalog.variants))
    return Terms(variants, of_catalog.segments, of_catalog.floor, Purpose(purpose))


def _policy_in(file: Path, asked: _Asked) -> "Policy":
    """The policy in a file. Raises `UsageError` if it is none, or does not fit the experiment."""
    from shared.decisioning.experiments.policy import InvalidPolicy
    from shared.decisioning.library import read_policy

    content = readable(file, "a policy").read_bytes()
    variants = [variant.id for variant in asked.terms.variants]
    try:
        return read_policy(str(asked.terms.policy), content, variants, asked.terms.segments, "no such file")
    except InvalidPolicy as error:
        raise UsageError(f"{file}: {'; '.join(error.problems)}") from error


def _write(target: Path, document: dict[str, Any]) -> None:
    with writing_into(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_text(target, json.dumps(document, indent=2) + "\n")


def _rates(text: str) -> dict[str, float]:
    """The rates of arms, named by letters. Raises `UsageError`."""
    try:
        rates = [float(each) for each in text.split(",")]
    except ValueError:
        rates = []
    if not (2 <= len(rates) <= 26 and all(0 <= rate <= 1 for rate in rates)):
        raise UsageError(f"--arms: expected 2 to 26 rates from 0 to 1, separated by commas, found {text!r}")
    return dict(zip(ascii_lowercase, rates, strict=False))
