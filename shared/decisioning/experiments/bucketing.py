"""Assignment of users to variants by hashing alone, with exactly the results of GrowthBook's SDKs.

https://docs.growthbook.io/lib/build-your-own
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import iter_unpack
from typing import NamedTuple

from shared.decisioning.document.vocabulary import HOLDOUT_SALT_PREFIX

BUCKETS = 10_000
"""The number of buckets of hash version 2, so that a share is exact to a hundredth of a percent."""
WEIGHTS_ADD_UP = (0.99, 1.01)
"""The bounds between which the sum of weights counts as 1, as in GrowthBook's SDKs."""


class Range(NamedTuple):
    """A half-open interval [start, end) within 0 to 1; empty if both are equal."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Namespace:
    """A range of a namespace. Experiments in disjoint ranges of one namespace never assign the same user."""

    id: str
    start: float
    end: float


def bucket(seed: str, value: str, hash_version: int = 2) -> float:
    """The bucket of a value: a number from 0 to below 1, in steps of 1/10,000 (version 1: 1/1,000).

    Use version 1 only for experiments that started with it: its buckets under two seeds are not fully independent.
    Raises `ValueError` for other versions.
    """
    match hash_version:
        case 2:
            return _fnv1a(str(_fnv1a(seed + value))) % BUCKETS / BUCKETS
        case 1:
            return _fnv1a(value + seed) % 1000 / 1000
        case _:
            raise ValueError(f"hash_version: expected 1 or 2, found {hash_version}")


def equal_weights(variants: int) -> tuple[float, ...]:
    """Equal weights for that many variants."""
    return tuple(1 / variants for _ in range(variants))


def ranges(weights: Sequence[float], coverage: float = 1.0) -> tuple[Range, ...]:
    """The range of each variant: its start depends on the weights alone, its length on the coverage too.

    A ramp from 10% to 50% therefore adds users and moves none. A coverage outside 0 to 1 counts as the nearer
    bound. Weights that do not add up to 1 are replaced by equal weights.
    """
    covered = min(max(coverage, 0.0), 1.0)
    lowest, highest = WEIGHTS_ADD_UP
    if not lowest <= sum(weights) <= highest:
        weights = equal_weights(len(weights))
    starts = accumulate(weights, initial=0.0)  # one more than there are weights: the last is the end of all ranges
    return tuple(Range(start, start + covered * weight) for weight, start in zip(weights, starts, strict=False))


def choose(n: float, variant_ranges: Iterable[Range]) -> int | None:
    """The index of the range that contains the bucket; None for a user whom the experiment does not cover."""
    return next((index for index, (start, end) in enumerate(variant_ranges) if start <= n < end), None)


def in_namespace(value: str, namespace: Namespace) -> bool:
    """True if the value's bucket in the namespace lies in the range. Seed and version are GrowthBook's."""
    return namespace.start <= bucket(f"__{namespace.id}", value, hash_version=1) < namespace.end


def is_held_out(salt: str, user_id: str, percent: float) -> bool:
    """True if the user belongs to the holdout: `percent` (0 to 100, rounded to hundredths) of all users.

    The seed has a prefix that no experiment's salt may have, so that holdouts and variants are independent.
    """
    return bucket(f"{HOLDOUT_SALT_PREFIX}{salt}", user_id) < round(percent * (BUCKETS // 100)) / BUCKETS


def _fnv1a(text: str) -> int:
    """FNV-1a, 32 bits, over UTF-16 code units as in JavaScript, where GrowthBook hashes `charCodeAt`.

    http://www.isthe.com/chongo/tech/comp/fnv/
    """
    state = 0x811C9DC5
    for unit in _code_units(text):
        state = (state ^ unit) * 0x01000193 & 0xFFFFFFFF
    return state


def _code_units(text: str) -> Iterable[int]:
    if text.isascii():
        return text.encode()
    return (unit for (unit,) in iter_unpack("<H", text.encode("utf-16-le", "surrogatepass")))
