"""The what-if study as a pipeline: both lives of each user on any worker, and the sum of all users."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

import apache_beam as beam

from infra.beam import counts
from infra.beam.catalogs import CatalogText, catalog_of
from infra.beam.lives import Grouped, Lives
from infra.beam.whole_files import write_whole
from infra.replay.life import Arriving
from infra.replay.switch import switched
from infra.replay.world import CatalogHistory, World
from infra.whatif.comparison import Comparison, merged
from infra.whatif.result import facts_of
from infra.whatif.study import compare, study_of
from infra.whatif.user_side import side_of
from shared.domain.terms import Terms


class Plan(NamedTuple):
    """One study, as it is sent to the workers."""

    before: CatalogText
    after: CatalogText
    files: tuple[str, str]
    """The names of both catalogs' files, which the result repeats."""
    switch_at: datetime | None
    """UTC; None if each catalog holds throughout."""
    now: datetime | None
    terms: Terms
    examples: int


def add_what_if(lives: Lives, plan: Plan, out: str) -> None:
    """Add the study of these lives to their pipeline. It writes what `upbeat whatif --json` prints into a file."""
    end = beam.pvalue.AsSingleton(lives.until | "Until" >> beam.Map(_end, plan.now))
    compared = lives.users | "Compare" >> beam.Map(_compared, end, lives.in_order, plan)
    whole = compared | "Sum" >> beam.CombineGlobally(partial(merged, examples=plan.examples))
    _ = whole | "Write" >> beam.Map(_write, end, plan, out)


def _end(last: datetime, now: datetime | None) -> datetime:
    return max(last, now or last)


def _compared(
    user: Grouped, until: datetime, in_order: Callable[[Iterable[Any]], list[Arriving]], plan: Plan
) -> Comparison:
    counts.users.inc()
    user_id, messages = user[0].decode(errors="surrogatepass"), in_order(user[1])
    before, after = _worlds(plan)
    old = side_of(user_id, messages, before, catalog_of(plan.before), until)
    new = side_of(user_id, messages, after, catalog_of(plan.after), until)
    return compare(old, new, plan.examples, plan.switch_at)


@cache
def _worlds(plan: Plan) -> tuple[World, World]:
    before, after = catalog_of(plan.before), catalog_of(plan.after)
    old, new = CatalogHistory(before), CatalogHistory(after)
    if plan.switch_at and plan.before != plan.after:
        new = switched(before, after, plan.switch_at)
    return World(old, plan.terms), World(new, plan.terms)


def _write(compared: Comparison, until: datetime, plan: Plan, out: str) -> None:
    before, after = catalog_of(plan.before), catalog_of(plan.after)
    study = study_of(compared, before, after, plan.switch_at)
    sides = zip(("before", "after"), plan.files, (before, after), strict=True)
    told = {name: {"file": file, "version": catalog.version} for name, file, catalog in sides}
    facts = facts_of(told, compared.events_read, until, study)
    write_whole(out, f"{json.dumps(facts, ensure_ascii=False)}\n".encode())
