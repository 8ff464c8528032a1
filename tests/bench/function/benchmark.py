"""The benchmark of a deployed function: CPU time per event and latency, against the floor and the peer."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple

from infra.emulator.emulators import Emulators
from tests.bench.function import subjects
from tests.bench.function.load import Load
from tests.bench.function.subjects import Subject
from tests.bench.function.workload import Scenario, Work, Workload
from tests.bench.report import Result, progress
from tests.support.booted import make_interpreter

AT_ONCE = (8, 32)
SEEDED_AT_ONCE = 32
EMULATOR_HEAP_MIB = 2048
"""Each scenario of each turn has users of its own, whom the emulators keep to the end."""
FLOOR_GOAL, PEER_GOAL = 1.2, 0.4
"""The ratios of CPU time that are to be reached at most."""
LATENCY_GOAL_AT = 32
"""The number of events at once at which our p99 must be below the peer's."""


class Size(NamedTuple):
    """How much is measured."""

    turns: int = 5
    events: int = 200
    """Events of each function in a turn, scenario and number at once."""
    full_rings: int = 64
    """Users with a full ring."""


QUICK = Size(turns=3, events=100, full_rings=40)


class Turn(NamedTuple):
    """What one function did in one turn."""

    cpu: float
    """Microseconds per event."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""


Turns = dict[tuple[Scenario, int, str], list[Turn]]
"""By scenario, number of events at once, and name of the function."""


def function(size: Size, emulators: Emulators | None = None) -> list[Result]:
    """Measure all scenarios, and compare."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="upbeat-bench-")))
        running = emulators or stack.enter_context(Emulators(heap_mib=EMULATOR_HEAP_MIB))
        python = make_interpreter(folder / "interpreter")
        load = stack.enter_context(Load())
        workload = Workload()
        ours = stack.enter_context(subjects.ours(running, folder, python))
        progress(f"function: filling the rings of {size.full_rings} users")
        rings = workload.full_rings(size.full_rings)
        for round_ in rings:
            load.post(ours.url(Scenario.LATE), round_, SEEDED_AT_ONCE)
        profiles = subjects.profiles_of(ours, load, workload)
        floor = stack.enter_context(subjects.floor(running, folder, python, profiles))
        peer = stack.enter_context(subjects.peer(running, folder, python))
        for other in (floor, peer):
            load.post(other.url(Scenario.LATE), rings[-1], SEEDED_AT_ONCE)
        measured = measure((ours, floor, peer), load, workload, size)
    return list(compared(measured))


def measure(functions: tuple[Subject, ...], load: Load, workload: Workload, size: Size) -> Turns:
    """Give every function the same requests, in turns, the first of which only warms up."""
    measured: Turns = defaultdict(list)
    for turn in range(size.turns + 1):
        progress(f"function: turn {turn} of {size.turns}" if turn else "function: warming up")
        for at_once in AT_ONCE:
            for scenario, work in _works(workload, size):
                for each in functions:
                    done = _turn(each, load, scenario, work, at_once)
                    if turn:
                        measured[scenario, at_once, each.name].append(done)
    return measured


def _works(workload: Workload, size: Size) -> Iterator[tuple[Scenario, Work]]:
    """The work of each scenario in one turn. The duplicates are the renewals once more."""
    renewals = workload.renewals(Scenario.RENEWAL, size.events)
    yield Scenario.RENEWAL, renewals
    yield Scenario.DUPLICATE, Work([], renewals.measured)
    yield Scenario.TRIGGER, workload.renewals(Scenario.TRIGGER, size.events)
    yield Scenario.LATE, workload.late(size.events, size.full_rings)


def _turn(subject: Subject, load: Load, scenario: Scenario, work: Work, at_once: int) -> Turn:
    for round_ in work.before:
        load.post(subject.url(scenario), round_, SEEDED_AT_ONCE)
    before = subject.cpu_seconds()
    answered = load.post(subject.url(scenario), work.measured, at_once)
    spent = subject.cpu_seconds() - before
    percentiles = quantiles(answered.latencies, n=100, method="inclusive")
    return Turn(spent / len(work.measured) * 1e6, percentiles[49], percentiles[98])


def compared(measured: Turns) -> Iterator[Result]:
    """The comparisons of our function with the floor and the peer."""
    for scenario in Scenario:
        for at_once in AT_ONCE:
            ours, floor, peer = (measured[scenario, at_once, name] for name in ("ours", "floor", "peer"))
            what = f"{scenario}, {at_once} at once"
            cpu, floor_cpu, peer_cpu = ([turn.cpu for turn in turns] for turns in (ours, floor, peer))
            yield Result("function", f"{what}, CPU", "µs", cpu, "floor", floor_cpu, FLOOR_GOAL)
            yield Result("function", f"{what}, CPU", "µs", cpu, "peer", peer_cpu, PEER_GOAL)
            for name in ("p50", "p99"):
                mine, others = ([getattr(turn, name) for turn in turns] for turns in (ours, peer))
                goal = 1.0 if (name, at_once) == ("p99", LATENCY_GOAL_AT) else None
                yield Result("function", f"{what}, {name}", "ms", mine, "peer", others, goal)
