"""The guard: experiments that are stopped because a guardrail is surely worse."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.analytics.experiments.comparisons import Arms
from infra.analytics.experiments.definition import Definition, NoControl, UnknownExperiment, definition, published
from infra.analytics.experiments.exposed import NothingToReport, some_units
from infra.analytics.experiments.harm import Harm, harms
from infra.analytics.experiments.outcomes import outcomes
from infra.analytics.experiments.sample_ratio import sample_ratio
from infra.analytics.warehouse.engine import Engine
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.schema import CatalogDocument, ExperimentTerms

Harmful = Mapping[str, Sequence[str]]
"""The arms that are surely worse, by experiment."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """An experiment that the guard may stop, as it stands."""

    experiment_id: str
    harms: tuple[Harm, ...] = ()
    """The guardrails that are surely worse."""
    tested: int = 0
    """The comparisons of guardrails that could be made."""
    doubt: str | None = None
    """The reason why nothing can be said of it, or why what is said cannot be trusted."""

    @property
    def must_stop(self) -> bool:
        """True if harm is sure and nothing speaks against its measurement."""
        return bool(self.harms) and self.doubt is None

    @property
    def needs_eyes(self) -> bool:
        """True if harm was found that cannot be trusted: somebody has to look."""
        return bool(self.harms) and self.doubt is not None


@dataclass(frozen=True, slots=True)
class Change:
    """A catalog that the guard puts in force."""

    catalog: Catalog
    stopped: tuple[str, ...]
    """The experiments that it stops."""
    paused: tuple[str, ...]
    """The campaigns that it pauses."""


def may_stop(terms: ExperimentTerms | None) -> bool:
    """True for a running experiment whose catalog lets the guard stop it."""
    return terms is not None and terms.state == "running" and terms.auto_stop


def guarded(engine: Engine) -> Iterator[Guarded]:
    """The experiments that the guard may stop, by their newest catalog in the warehouse."""
    for id_, rows in sorted(published(engine).items()):
        try:
            known = definition(id_, rows)
        except UnknownExperiment as error:
            yield Guarded(id_, doubt=str(error))
            continue
        if may_stop(known.terms):
            yield _guarded(engine, known)


def harmful_arms(found: Iterable[Guarded]) -> Harmful:
    """The arms that are surely worse, of the experiments that must stop."""
    return {each.experiment_id: sorted({harm.arm for harm in each.harms}) for each in found if each.must_stop}


def stopped(catalog: Catalog, harmful: Harmful) -> Change | None:
    """The catalog in force with these experiments stopped; None if it lets the guard stop none of them.

    Stopped, an experiment gives all users their campaign's own offer. Where that is the offer of an arm that does
    harm, the campaign is paused.
    """
    ours = {id_: arms for id_, arms in harmful.items() if may_stop(catalog.document.experiments.get(id_))}
    if not ours:
        return None
    content = json.loads(catalog.to_json())
    for id_ in ours:
        content["experiments"][id_]["state"] = "stopped"
    paused = _making_harmful_offers(catalog.document, ours)
    for campaign_id in paused:
        content["campaigns"][campaign_id]["state"] = "paused"
    return Change(compile_catalog(content), tuple(ours), tuple(paused))


def _making_harmful_offers(document: CatalogDocument, harmful: Harmful) -> list[str]:
    """The live campaigns that would give all users the offer of an arm that does harm."""
    offers = {
        (id_, variant.offer)
        for id_, arms in harmful.items()
        for variant in document.experiments[id_].variants
        if variant.id in arms
    }
    return [
        id_
        for id_, campaign in document.campaigns.items()
        if campaign.state == "live" and (campaign.experiment, campaign.offer) in offers
    ]


def _guarded(engine: Engine, known: Definition) -> Guarded:
    try:
        control, units = known.control(), some_units(engine, known)
    except (NoControl, NothingToReport) as error:
        return Guarded(known.id, doubt=str(error))
    found = outcomes(engine, known, known.guardrails, units.days, weighted=units.weighted)
    margin = known.terms.harm_margin if known.terms else 0.0
    arms = [Arms(control, variant) for variant in known.variants if variant != control]
    verdicts = harms(found, known.guardrails, arms, margin, units.total)
    mismatches = sample_ratio(known, units.included).mismatches
    return Guarded(
        known.id,
        tuple(verdict for verdict in verdicts if verdict.is_sure),
        len(verdicts),
        f"the sample ratio is not as it should be: {'; '.join(mismatches)}" if mismatches else None,
    )
