"""The targets of the fuzzing, without atheris: every seed, everything found once, and some hundred mutations."""

from collections.abc import Iterator
from random import Random

import pytest

from shared.domain.errors import InvalidCatalog
from tests.fuzz import targets
from tests.fuzz.corpus import seeds, words
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import DIRECT, PUSH, TARGETS

MUTATIONS = {"envelope": 4000, "catalog": 400}
"""The number of mutations that are tried on each target: about a second's worth."""


def mutations(target: str) -> Iterator[bytes]:
    """Inputs that are nearly seeds."""
    random, pool, vocabulary = Random(target), [*seeds(target)], words(target)  # noqa: S311 - the same in every run
    for _ in range(MUTATIONS[target]):
        yield mutated(random.choice(pool), random, vocabulary)


def try_all(target: str) -> None:
    """Give every seed to a target."""
    for seed in seeds(target):
        TARGETS[target](seed)


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_keeps_the_properties(target: str) -> None:
    try_all(target)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_nearly_a_seed_keeps_the_properties(target: str) -> None:
    for data in mutations(target):
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_at_all_keeps_the_properties(target: str) -> None:
    TARGETS[target](b"")


def test_the_examples_of_the_contracts_are_events_that_are_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is made of them reaches the code behind the envelope."""
    processed: list[str] = []
    real = targets.process
    monkeypatch.setattr(targets, "process", lambda *given: (processed.append(given[1].key.topic), real(*given))[1])
    plain = [seed for seed in seeds("envelope") if seed[0] == PUSH or DIRECT[seed[0]][1] == {}]
    for seed in plain:
        targets.envelope(seed)
    assert set(processed) == {topic for topic, _ in DIRECT} - {"lifecycle-clock"}


@pytest.mark.parametrize(
    ("target", "name", "error"),
    [
        ("envelope", "parse_event", KeyError),
        ("envelope", "process", OverflowError),
        ("catalog", "load_catalog", KeyError),
    ],
)
def test_any_other_error_than_a_refusal_is_found(
    monkeypatch: pytest.MonkeyPatch, target: str, name: str, error: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(targets, name, fail)
    with pytest.raises(error):
        try_all(target)


def test_a_refusal_that_is_no_sentence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise InvalidCatalog(["something is wrong"])

    monkeypatch.setattr(targets, "load_catalog", refuse)
    with pytest.raises(AssertionError, match="expected sentences"):
        targets.catalog(b"")


def test_a_record_that_does_not_come_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "unpack", lambda _: None)
    with pytest.raises(AssertionError, match="expected the record to come back"):
        try_all("envelope")
