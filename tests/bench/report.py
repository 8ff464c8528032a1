"""Results of benchmarks: a table for people, JSON for machines, and progress on standard error."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
WIDTHS = f"{'what':<62} {'ours':>11} {'baseline':>11} {'unit':<6} {'ratio':>6} {'goal':>7}  verdict"


class Result(NamedTuple):
    """One comparison: what was measured of ours and of the baseline, in turns, and the goal of their ratio."""

    group: str
    what: str
    unit: str
    ours: Sequence[float]
    """One value for each turn."""
    baseline_name: str
    baseline: Sequence[float]
    """One value for each turn, measured next to ours."""
    goal: float | None = None
    """The ratio that is to be reached at most; None if the comparison is for information."""

    @property
    def ratio(self) -> float:
        """The median of the turns' ratios: what disturbs one turn disturbs both of its values, or is left out."""
        return median(mine / other for mine, other in zip(self.ours, self.baseline, strict=True))

    @property
    def verdict(self) -> str:
        """Whether the goal is met, or by how much it is missed."""
        if self.goal is None:
            return ""
        return "met" if self.ratio <= self.goal else f"missed by {self.ratio / self.goal - 1:.0%}"

    @property
    def row(self) -> str:
        """The comparison as a line of the table."""
        goal = "" if self.goal is None else f"≤ {self.goal:g}"
        what = f"{self.what} : {self.baseline_name}"
        numbers = f"{_short(median(self.ours)):>11} {_short(median(self.baseline)):>11} {self.unit:<6}"
        return f"{what:<62} {numbers} {self.ratio:6.3g} {goal:>7}  {self.verdict}".rstrip()

    @property
    def fields(self) -> dict[str, Any]:
        """The comparison as JSON, with the values of every turn."""
        return {
            **self._asdict(),
            "ours": list(self.ours),
            "baseline": list(self.baseline),
            "ratio": self.ratio,
            "is_met": None if self.goal is None else self.ratio <= self.goal,
        }


def table(results: Iterable[Result]) -> str:
    """All results, by group, in their order."""
    lines, group = [WIDTHS], None
    for result in results:
        if result.group != group:
            group = result.group
            lines += ["", group]
        lines.append(result.row)
    return "\n".join(lines)


def document(results: Iterable[Result], *, quick: bool) -> dict[str, Any]:
    """All results, with what is needed to compare them with those of another run."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "quick": quick,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "machine": platform.platform(),
        "results": [result.fields for result in results],
    }


def write_json(path: Path, results: Iterable[Result], *, quick: bool) -> None:
    """Write the results as JSON."""
    path.write_text(json.dumps(document(results, quick=quick), indent=1) + "\n")


def progress(text: str) -> None:
    """Say on standard error what is being measured."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _commit() -> str:
    """The commit of the tree, with a mark if it has changes; empty outside of git."""
    command = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
