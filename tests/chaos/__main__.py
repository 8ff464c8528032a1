"""`python -m tests.chaos`: chaos on the real emulators, and the verdict on each law.

Ends with 1 if a law was broken, with the evidence and the seed by which to run it again.
"""

import argparse
import json
import sys
from datetime import UTC, datetime

from infra.emulator.emulators import Emulators
from infra.topology import load
from tests.chaos.faults import USUAL
from tests.chaos.report import as_json, table
from tests.chaos.run import run
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.world import Settings

USERS_A_SECOND = 2.5
"""The number of lives that begin in a second: with 20 events each, about what two processors can do."""
FAULT_SECONDS = 0.5
EMULATOR_HEAP_MIB = 2048
"""Room for every message and version of a document: a full emulator answers with errors of its own."""


def main() -> int:
    """Run as the command line says. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long events and faults go on")
    parser.add_argument("--seed", type=int, default=1, help="the seed of lives and faults")
    parser.add_argument("--sabotage", choices=SABOTAGES, default="", help="break the protocol in every instance")
    parser.add_argument("--instances", type=int, default=2, help="the instances of each function")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args()
    users = max(5, round(given.seconds * USERS_A_SECOND))
    instances = dict.fromkeys(load().functions, given.instances)
    settings = Settings(given.seconds, given.seed, instances, users, USUAL, FAULT_SECONDS, given.sabotage)
    with Emulators(heap_mib=EMULATOR_HEAP_MIB) as emulators:
        result = run(settings, emulators, _say)
    print(json.dumps(as_json(result), indent=2) if given.json else "\n".join(table(result)))
    return 1 if result.broken else 0


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
