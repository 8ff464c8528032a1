"""Chaos on the real emulators breaks no law, and the checker would find it if one were broken."""

import json

import pytest

from infra.emulator.emulators import Emulators
from infra.topology import load
from tests.chaos.faults import USUAL
from tests.chaos.laws import LAWS
from tests.chaos.report import as_json, table
from tests.chaos.run import Result, run
from tests.chaos.tampering import TAMPERED
from tests.chaos.verdict import Verdict
from tests.chaos.world import Settings

pytestmark = [pytest.mark.emulator, pytest.mark.slow]

SECONDS, USERS = 36, 90


@pytest.fixture(scope="module")
def result(emulators: Emulators) -> Result:
    return run(Settings(SECONDS, 1, dict.fromkeys(load().functions, 2), USERS, USUAL, 0.4), emulators)


def test_no_law_is_broken(result: Result) -> None:
    assert not result.broken, "\n".join(table(result))


def test_it_was_chaos(result: Result) -> None:
    """Without faults, repetitions and refusals in numbers, that no law is broken would mean little."""
    assert sum(result.faults.values()) > SECONDS
    assert result.counts["deliveries failed"] > 0
    assert result.counts["published again"] > 0
    assert result.counts["due users told"] > 0
    assert min(result.plan.kinds.values()) > 0
    assert all(verdict.checked for verdict in result.verdicts)


def test_the_result_is_json_with_the_seed_and_the_verdicts(result: Result) -> None:
    written = json.loads(json.dumps(as_json(result)))
    assert written["seed"] == 1
    assert [one["law"] for one in written["laws"]] == [*LAWS]


@pytest.mark.parametrize("how", TAMPERED)
def test_the_checker_finds(how: str, result: Result) -> None:
    beginning, tamper = TAMPERED[how]
    (law,) = (law for law in LAWS if law.startswith(beginning))
    verdict = Verdict(law)
    LAWS[law](tamper(result.seen), verdict)
    assert verdict.broken
