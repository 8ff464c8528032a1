"""Benchmarks, run as `make bench`: each measures ours against a baseline, by turns within one run.

The ratios do not depend on the machine's speed. Each is the median over the turns, beside the goal that it is to
reach.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from infra.errors import InfraError
from tests.bench import growth, sweeps
from tests.bench.api.over_grpc import entitlements_over_grpc
from tests.bench.api.over_http import entitlements_over_http
from tests.bench.cold_starts import SUBJECTS, cold_starts
from tests.bench.function.benchmark import QUICK, Size, function
from tests.bench.growth import growing
from tests.bench.growthbook_sdk import decision
from tests.bench.parts import parts
from tests.bench.replays import replaying
from tests.bench.report import Result, progress, table, write_json
from tests.bench.sweeps import sweeping
from tests.bench.versions import compare

EXAMPLE = "python -m tests.bench --only function,parts --quick --json bench.json"
FULL_TURNS, QUICK_TURNS = 5, 3
GROUPS: dict[str, tuple[str, Callable[[bool], list[Result]]]] = {
    "function": (
        "the deployed function over HTTP against bare stubs (the floor) and a hand-written function (the peer)",
        lambda quick: function(QUICK if quick else Size()),
    ),
    "replay": (
        "a replay against the engine alone",
        lambda quick: replaying(*((QUICK_TURNS, 2_000) if quick else (FULL_TURNS, 6_000))),
    ),
    "decision": (
        "a decision against GrowthBook's Python SDK, with equal targeting and hashing",
        lambda quick: decision(_turns(quick)),
    ),
    "api": (
        "the API's GetEntitlement against a bare handler that does one get",
        lambda quick: [
            result
            for measure in (entitlements_over_http, entitlements_over_grpc)
            for result in measure(*((QUICK_TURNS, 400) if quick else (FULL_TURNS, 2_000)))
        ],
    ),
    "cold-start": (
        "the first push or answer of a new process against a function that only imports what ours needs",
        lambda quick: [one for subject in SUBJECTS for one in cold_starts(_turns(quick), subject=subject)],
    ),
    "growth": (
        "an event of a user with very many events against one of a user whose ring has just become full",
        lambda quick: growing(_turns(quick), growth.SIZES[:3] if quick else growth.SIZES),
    ),
    "clock": (
        "a sweep over many due users against one over a tenth of them",
        lambda quick: sweeping(sweeps.SIZES[:2] if quick else sweeps.SIZES),
    ),
    "parts": ("reading, folding, packing, a decision's clauses, scores", lambda quick: parts(_turns(quick))),
}
"""By name, in the order in which they run: what is measured, and the benchmark, told whether it is to be quick."""


def main() -> None:
    """Run the benchmarks that the command line names, or the comparison with another version."""
    arguments = _parser().parse_args()
    if arguments.against:
        compare(arguments.against)
        return
    results: list[Result] = []
    failed: list[str] = []
    for name in arguments.only:
        what, benchmark = GROUPS[name]
        progress(f"{name}: {what}")
        try:
            results += benchmark(arguments.quick)
        except (InfraError, ModuleNotFoundError, RuntimeError) as problem:
            failed.append(f"{name}: not measured: {problem}")
        if arguments.json:
            write_json(arguments.json, results, quick=arguments.quick)
    sys.stdout.write(f"{table(results)}\n")
    if failed:
        sys.exit("\n".join(failed))


def _turns(quick: bool) -> int:
    return QUICK_TURNS if quick else FULL_TURNS


def _parser() -> argparse.ArgumentParser:
    groups = "\n".join(f"  {name:<12} {what}" for name, (what, _) in GROUPS.items())
    parser = argparse.ArgumentParser(
        "python -m tests.bench",
        description=__doc__,
        epilog=f"groups:\n{groups}\n\nexample:\n  {EXAMPLE}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", type=_groups, default=[*GROUPS], metavar="GROUP,...", help="run only these groups"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer turns and events: for a look, not for a record"
    )
    parser.add_argument("--json", type=_file, metavar="FILE", help="also write every turn's values as JSON")
    parser.add_argument("--against", metavar="REF", help="instead, measure this tree's parts against a git ref's")
    return parser


def _file(said: str) -> Path:
    """The path of a file to write. It is refused before anything is measured, not after a quarter of an hour."""
    if not Path(said).parent.is_dir() or Path(said).is_dir():
        raise argparse.ArgumentTypeError(f"expected a file in a folder that exists, found {said!r}")
    return Path(said)


def _groups(said: str) -> list[str]:
    """The named groups, in the order in which they run."""
    names = said.split(",")
    if unknown := [name for name in names if name not in GROUPS]:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(GROUPS)}, found {unknown[0]!r}")
    return [name for name in GROUPS if name in names]


if __name__ == "__main__":
    main()
