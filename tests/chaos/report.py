"""The report of a run: a table for people, JSON for programs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.run import Result

MOST_EVIDENCE = 5
"""The pieces of evidence that the table shows for one law."""


def table(result: Result) -> Iterator[str]:
    """The lines of the table: what was thrown at the functions, what they did, and each law's verdict."""
    settings = result.settings
    what = f"sabotage {settings.sabotage}" if settings.sabotage else "no sabotage"
    yield f"chaos of {settings.seconds:g} s, seed {settings.seed}, {what}; {result.seconds:.0f} s in all"
    yield from _rows("published", result.plan.kinds)
    yield from _rows("faults", result.faults)
    yield from _rows("counts", result.counts)
    yield ""
    yield "laws"
    for verdict in result.verdicts:
        state = f"BROKEN {len(verdict.broken)} times" if verdict.broken else "holds"
        yield f"  {state:>16}  {verdict.checked:7,} checks  {verdict.law}"
        for evidence in verdict.broken[:MOST_EVIDENCE]:
            yield f"{'':>20}{evidence}"


def as_json(result: Result) -> dict[str, Any]:
    """The whole result, with all evidence."""
    return {
        "seconds": result.settings.seconds,
        "seed": result.settings.seed,
        "sabotage": result.settings.sabotage,
        "seconds_in_all": round(result.seconds, 1),
        "published": dict(result.plan.kinds),
        "faults": dict(result.faults),
        "counts": result.counts,
        "laws": [
            {"law": one.law, "holds": not one.broken, "checks": one.checked, "evidence": one.broken}
            for one in result.verdicts
        ],
    }


def _rows(title: str, numbers: Mapping[str, float]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {number:>16,}  {name}" for name, number in sorted(numbers.items()))
