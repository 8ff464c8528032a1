"""Policies: arm probabilities computed offline, and the pick that can be told again and reckoned with."""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from math import fsum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints, ValidationError

from shared.decisioning.document.problems import malformed, problem
from shared.decisioning.document.vocabulary import Id, Strict
from shared.domain.errors import UpbeatError

LEAST_PROBABILITY = 1e-9
"""A smaller one, but zero, is refused: what hardly ever happens can hardly be learned from, and the pick, with
its 2^53 steps, would no longer happen as often as the log says."""
TOLERANCE = 1e-6
"""How far from 1 the probabilities may add up, for the sake of those who round."""


class InvalidPolicy(UpbeatError):
    """A policy that cannot be used; `problems` holds one sentence for each mistake, each with its path."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"invalid policy {name}:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Policy:
    """How likely each arm of an experiment is to be picked, at one version. Make one with `parse_policy`."""

    name: str
    version: str
    arms: Mapping[str, float]
    """Sorted by name; they add up to 1."""
    description: str = ""


class Pick(NamedTuple):
    """The arm of one decision, and all that an analysis needs to weigh it."""

    variant: str
    propensity: float
    """How likely this arm was, floor and all: 0 < propensity <= 1."""
    policy_version: str


def parse_policy(name: str, data: object) -> Policy:
    """The policy that parsed JSON describes. Raises `InvalidPolicy` with its problems."""
    if not isinstance(data, dict):
        raise InvalidPolicy(name, [problem("policy", "an object", data)])
    try:
        written = _PolicyDocument.model_validate(data)
    except ValidationError as error:
        raise InvalidPolicy(name, list(malformed(error, "policy", _PolicyDocument.model_fields))) from None
    total = fsum(written.arms.values())
    if round(abs(total - 1), 9) > TOLERANCE:
        raise InvalidPolicy(name, [problem("arms", "probabilities that add up to 1", total)])
    arms = {arm: probability / total for arm, probability in sorted(written.arms.items())}
    return Policy(name, written.policy_version, arms, written.description)


def with_floor(policy: Policy, floor: float) -> Mapping[str, float]:
    """How likely each arm is when none may be less likely than the floor: floor + (1 - k * floor) * p.

    So every arm stays explored. A floor is 0 or at least `LEAST_PROBABILITY`; one above 1/k, where there are k
    arms, makes all equally likely.
    """
    floor = min(floor, 1 / len(policy.arms))
    rest = 1 - len(policy.arms) * floor
    return {arm: floor + rest * probability for arm, probability in policy.arms.items()}


def pick(policy: Policy, floor: float, seed: str, cause: str) -> Pick:
    """The arm for a cause: ever the same for the same one, and independent of all other causes.

    The user is no part of it, since a user who met the same arm time after time would make the arms incomparable
    once the probabilities change.
    """
    likely = [(arm, propensity) for arm, propensity in with_floor(policy, floor).items() if propensity > 0]
    ends = [*accumulate(propensity for _, propensity in likely)]
    ends[-1] = 1.0  # whatever rounding made of the sum
    arm, propensity = likely[bisect_right(ends, _uniform(seed, cause))]
    return Pick(arm, propensity, policy.version)


def mismatch(policy: Policy, variants: Collection[str]) -> str | None:
    """Why a policy cannot pick among the variants of an experiment, or None."""
    if policy.arms.keys() == set(variants):
        return None
    return (
        f"arms: expected the experiment's variants ({', '.join(sorted(variants))}), found {', '.join(policy.arms)}"
    )


def _uniform(seed: str, cause: str) -> float:
    """A number from 0 to just below 1 in 2^53 steps, as fine as a float there can be.

    The 10,000 buckets of an experiment would be too coarse: an arm of 1 in 30,000 would never be picked, or
    thrice as often as logged.
    """
    digest = blake2b(f"{seed}\0{cause}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53


def _likely_enough(probability: float) -> float:
    if 0 < probability < LEAST_PROBABILITY:
        raise ValueError(f"0, or at least {LEAST_PROBABILITY}")
    return probability


_Probability = Annotated[FiniteFloat, Field(ge=0, le=1), AfterValidator(_likely_enough)]


class _PolicyDocument(Strict):
    """A policy as data scientists publish it."""

    arms: Annotated[dict[Id, _Probability], Field(min_length=2, max_length=32)]
    policy_version: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
