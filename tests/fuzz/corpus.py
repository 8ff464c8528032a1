"""Seeds of the fuzzing: the contracts' examples, the shipped catalog, broken ones, and what was found once."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson

from infra.catalog.load import DEFAULT_CATALOG
from tests.fuzz.targets import DIRECT, PUSH
from tests.support.samples import VALID, push

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "contracts" / "examples"
CATALOGS = ROOT / "tests" / "shared" / "decisioning" / "document" / "broken"
FOUND = Path(__file__).parent / "found"
"""Inputs that once broke a property, one file each, in a folder for each target."""
WORD = re.compile(rb"[A-Za-z][\w.@-]{2,40}")


def seeds(target: str) -> Iterator[bytes]:
    """The seeds of a target."""
    yield from {"envelope": _envelopes, "catalog": _catalogs}[target]()
    for file in sorted((FOUND / target).glob("*")):
        yield file.read_bytes()


def _envelopes() -> Iterator[bytes]:
    for choice, (topic, _) in enumerate(DIRECT):
        for file in sorted((EXAMPLES / topic).glob("*.json")):
            yield bytes([choice]) + file.read_bytes()
    for topic, event in VALID.items():
        yield bytes([PUSH]) + orjson.dumps(push(orjson.dumps(event)))
        yield bytes([[topic for topic, _ in DIRECT].index(topic)]) + orjson.dumps(event)


def _catalogs() -> Iterator[bytes]:
    yield DEFAULT_CATALOG.read_bytes()
    for file in sorted(CATALOGS.glob("*.yaml")):
        yield file.read_bytes()


def words(target: str) -> list[str]:
    """The names and values in the seeds of a target, of which new inputs are made."""
    return sorted({word.decode() for seed in seeds(target) for word in WORD.findall(seed)})
