"""Settings and fixtures of every test, and the account of the tests that did not run.

The emulators run once per worker process. Each test has its own project on them, so that it finds them empty.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

from infra.emulator import sdk
from infra.emulator.bigtable import BigtableEmulator
from infra.emulator.emulators import Emulators
from infra.errors import InfraError

# No deadlines, because `make bench` measures speed. The same examples in every run, so that a failure comes from
# the change under test; `--hypothesis-profile=thorough` draws new ones, and many more. Mutants get few, because
# thousands of them run the same tests. Some laws are about a tenth of all lives: the others are filtered out.
NOT_CHECKED = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("usual", deadline=None, derandomize=True, suppress_health_check=NOT_CHECKED)
settings.register_profile("thorough", parent=settings.get_profile("usual"), derandomize=False, max_examples=3000)
settings.register_profile("mutants", parent=settings.get_profile("usual"), max_examples=30)
settings.load_profile("usual")

os.environ.pop("COLUMNS", None)  # a page is as wide as its test says, whatever terminal the tests run in
os.environ["UPBEAT_EMULATOR_PORTS"] = "0,0,0"  # several tests may run `up` at the same time
# The workers and hundreds of processes that tests start import the same modules, which are compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
DESELECTED = {
    "not emulator": "the tests that need the emulators: `make test` runs them",
    "not slow": "the slow tests, of about two seconds or more: `make test` runs them",
}
"""For each part of a `-m` expression, the tests that it deselects."""

NOT_IN_MAKE_TEST = [
    "the benchmarks: `make bench` runs them, `make test-bench` their tests",
    "chaos for minutes, on any seed: `make chaos SECONDS=600 SEED=1` runs it",
    "the mutants of the pure rooms: `make mutants` makes and tries them",
    "the fuzzing that coverage guides, and of the API: `make test-fuzz` runs 10 s of it, `make fuzz` 10 minutes",
    "the Wagtail site that edits the catalog: `make test-cms` runs its tests in an environment of its own",
    "the pipelines of Apache Beam, which has an environment of its own: `make test-beam` runs them",
    "experiments with known effects, 100 seeds of them: `python -m tests.simulation.experiments` runs them",
    "an experiment replayed event by event at full size: `python -m tests.simulation.replayed_experiment` runs it",
    "the A/A simulation at full size: `python -m tests.simulation.aa` runs it",
    "the recall of 20,000 users: `python -m tests.simulation.recall` runs it",
    "the simulation of holdouts at full size: `python -m tests.simulation.one_world` runs it",
    "the simulation of a mass renewal at full size: `python -m tests.simulation.clock 100000` runs it",
]
"""The checks that `make test` never runs. Add a line here for each new one."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of pytest-xdist, put the modules with slow tests first, so that none of them is the last to end.

    Otherwise their order is that of a hash of their names, so that modules that wait for the emulators and modules
    that compute run at the same time.
    """
    if not hasattr(config, "workerinput"):
        return
    slow = {item.path for item in items if any(map(item.get_closest_marker, ("slow", "emulator")))}
    items.sort(key=lambda item: (item.path not in slow, crc32(item.path.name.encode()), item.path))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many tests were skipped and why, and, after a run of the whole suite, the checks left out."""
    lines = _skipped(terminalreporter)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        lines = [*(lines or ["0 skipped"]), *_left_out(config.option.markexpr)]
    if lines and not config.option.collectonly:
        terminalreporter.section("not run")
        for line in lines:
            terminalreporter.write_line(line)


def _skipped(terminalreporter: pytest.TerminalReporter) -> list[str]:
    reports = terminalreporter.getreports("skipped")
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)
    return [f"{number} skipped: {reason}" for reason, number in reasons.most_common()]


def _left_out(markers: str) -> list[str]:
    deselected = [what for part, what in DESELECTED.items() if part in markers]
    return [f"left out: {what}" for what in deselected + NOT_IN_MAKE_TEST]


@pytest.fixture(scope="session")
def _emulator_sdk() -> None:
    """Skip the test if this machine lacks the emulators. The reason names the missing part."""
    if lack := sdk.missing():
        pytest.skip(lack)


@pytest.fixture(scope="session")
def emulators(_emulator_sdk: None) -> Iterator[Emulators]:
    """Both emulators, running."""
    with Emulators() as running:
        yield running


@pytest.fixture(scope="session")
def _bigtable_program() -> None:
    """Skip the test if this machine lacks Bigtable's emulator."""
    try:
        sdk.find_bigtable()
    except InfraError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def bigtable(_bigtable_program: None) -> Iterator[BigtableEmulator]:
    """Bigtable's emulator, running."""
    with BigtableEmulator() as running:
        yield running


@pytest.fixture
def project() -> str:
    """A new project, which is empty on the emulators."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def loggers_as_they_were() -> Iterator[None]:
    """Undo the changes that `logs.configure` makes to the process."""
    loggers = [logging.getLogger(), logging.getLogger("google")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)
