"""Assignment: who sees which variant, by hashing alone, to the digit as GrowthBook's SDKs do it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import iter_unpack
from typing import NamedTuple

from shared.decisioning.document.vocabulary import HOLDOUT_SALT_PREFIX

BUCKETS = 10_000
"""What hash version 2 tells apart: a share is at best a hundredth of a percent."""
WEIGHTS_ADD_UP = (0.99, 1.01)
"""Between these, weights count as adding up to 1."""


class Range(NamedTuple):
    """A part of the line from 0 to 1, without its end; where both are the same, it holds nothing."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Namespace:
    """A part of all users: experiments in disjoint parts of one namespace never share a user."""

    id: str
    start: float
    end: float


def bucket(seed: str, value: str, hash_version: int = 2) -> float:
    """Where a value lies from 0 to just below 1, in steps of 1/10,000 (version 1: of 1/1,000).

    Version 1 is there for experiments that began with it: its buckets under two seeds are not quite independent.
    Raises ValueError for other versions.
    """
    match hash_version:
        case 2:
            return _fnv1a(str(_fnv1a(seed + value))) % BUCKETS / BUCKETS
        case 1:
            return _fnv1a(value + seed) % 1000 / 1000
        case _:
            raise ValueError(f"hash_version: expected 1 or 2, found {hash_version}")


def equal_weights(variants: int) -> tuple[float, ...]:
    """The same weight for each of so many variants."""
    return tuple(1 / variants for _ in range(variants))


def ranges(weights: Sequence[float], coverage: float = 1.0) -> tuple[Range, ...]:
    """The range of each variant: its start depends on the weights alone, its length also on the coverage.

    So a ramp from 10% to 50% lets users in and moves none. A coverage beyond 0 to 1 is taken as the nearer end;
    weights that do not add up to 1 are replaced by equal ones.
    """
    covered = min(max(coverage, 0.0), 1.0)
    least, most = WEIGHTS_ADD_UP
    if not least <= sum(weights) <= most:
        weights = equal_weights(len(weights))
    placed = zip(weights, accumulate(weights, initial=0.0), strict=False)  # of the starts, one is left over
    return tuple(Range(start, start + covered * weight) for weight, start in placed)


def choose(n: float, among: Iterable[Range]) -> int | None:
    """The index of the range that holds the number; None for a user whom the experiment does not cover."""
    return next((index for index, (start, end) in enumerate(among) if start <= n < end), None)


def in_namespace(value: str, namespace: Namespace) -> bool:
    """Whether a value lies in that part of the namespace."""
    return namespace.start <= bucket(f"__{namespace.id}", value, hash_version=1) < namespace.end


def is_held_out(salt: str, user_id: str, percent: float) -> bool:
    """Whether a user is among those who get nothing, 0 to 100 percent of all, rounded to hundredths.

    The seed begins as no experiment's should, so that being held out tells nothing of variants.
    """
    return bucket(f"{HOLDOUT_SALT_PREFIX}{salt}", user_id) < round(percent * (BUCKETS // 100)) / BUCKETS


def _fnv1a(text: str) -> int:
    """FNV-1a of 32 bits over UTF-16 code units, which are what JavaScript takes for characters."""
    state = 0x811C9DC5
    for unit in _code_units(text):
        state = (state ^ unit) * 0x01000193 & 0xFFFFFFFF
    return state


def _code_units(text: str) -> Iterable[int]:
    if text.isascii():
        return text.encode()
    return (unit for (unit,) in iter_unpack("<H", text.encode("utf-16-le", "surrogatepass")))
