"""Policies: arm probabilities computed offline, and a reproducible pick with its propensity."""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate
from math import fsum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints, ValidationError

from shared.decisioning.document.problems import malformed, problem
from shared.decisioning.document.vocabulary import MAX_SEGMENTS, Id, Strict
from shared.domain.errors import UpbeatError

MIN_PROBABILITY = 1e-9
"""The lowest probability of an arm, except 0; a lower one is refused.

An arm that is almost never picked gives no data to learn from. And with the pick's 2^53 steps, a tiny arm would no
longer be picked as often as its logged propensity says.
"""
TOLERANCE = 1e-6
"""The tolerance for the sum of the probabilities, which may have been rounded."""


class InvalidPolicy(UpbeatError):
    """The policy is invalid. `problems` has one sentence for each mistake, with its path."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"invalid policy {name}:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Policy:
    """The probability of each arm of an experiment, at one version. Made with `parse_policy`."""

    name: str
    version: str
    arms: Mapping[str, float]
    """The probability of each arm, sorted by name. They add up to 1."""
    description: str = ""
    segments: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The same for the users of an audience, by its id, where these differ from all others."""


class Pick(NamedTuple):
    """The arm picked in one decision, with the values that an analysis needs for inverse propensity weighting."""

    variant: str
    propensity: float
    """The probability of this arm, including the floor: 0 < propensity <= 1."""
    policy_version: str
    segment: str | None = None
    """The segment of the experiment that the user is in; None for a user in none."""


def parse_policy(name: str, data: object) -> Policy:
    """The policy that parsed JSON describes. Raises `InvalidPolicy` with all its problems."""
    if not isinstance(data, dict):
        raise InvalidPolicy(name, [problem("policy", "an object", data)])
    try:
        written = _PolicyDocument.model_validate(data)
    except ValidationError as error:
        raise InvalidPolicy(name, list(malformed(error, "policy", _PolicyDocument.model_fields))) from None
    problems: list[str] = []
    arms = _normalized("arms", written.arms, problems)
    segments = {id_: _normalized(f"segments.{id_}", of, problems) for id_, of in written.segments.items()}
    problems += [
        problem(f"segments.{id_}", f"the arms {', '.join(arms)}", ", ".join(of))
        for id_, of in segments.items()
        if of.keys() != arms.keys()
    ]
    if problems:
        raise InvalidPolicy(name, problems)
    return Policy(name, written.policy_version, arms, written.description, segments)


def _normalized(path: str, arms: Mapping[str, float], problems: list[str]) -> Mapping[str, float]:
    """The arms, sorted, with probabilities that add up to 1 exactly. What is too far from 1 is a problem."""
    total = fsum(arms.values())
    if round(abs(total - 1), 9) > TOLERANCE:
        problems.append(problem(path, "probabilities that add up to 1", total))
    return {arm: probability / (total or 1) for arm, probability in sorted(arms.items())}


def with_floor(arms: Mapping[str, float], floor: float) -> Mapping[str, float]:
    """The probability of each of k arms if none is below the floor: floor + (1 - k * floor) * p.

    A floor keeps every arm explored. It is 0 or at least `MIN_PROBABILITY`. A floor above 1/k makes all arms
    equally likely.
    """
    floor = min(floor, 1 / len(arms))
    rest = 1 - len(arms) * floor
    return {arm: floor + rest * probability for arm, probability in arms.items()}


def pick(policy: Policy, floor: float, seed: str, user_id: str, cause: str, *, segment: str | None = None) -> Pick:
    """The arm for a user and a cause: always the same for both, and independent of all other causes.

    The cause is part of the hash, because the arms could not be compared once the probabilities change if each
    user kept one arm. The user is, because producers' event ids are often unique for each user only. Where the
    policy has no probabilities for the user's segment, those of all users hold.
    """
    arms = policy.segments.get(segment or "", policy.arms)
    possible = [(arm, propensity) for arm, propensity in with_floor(arms, floor).items() if propensity > 0]
    ends = [*accumulate(propensity for _, propensity in possible)]
    ends[-1] = 1.0  # the sum may differ from 1 because of rounding
    arm, propensity = possible[bisect_right(ends, _uniform(seed, f"{user_id}\0{cause}"))]
    return Pick(arm, propensity, policy.version, segment)


def mismatch(policy: Policy, variants: Collection[str], segments: Collection[str]) -> str | None:
    """The reason why a policy cannot pick among an experiment's variants and segments; None if it can."""
    if policy.arms.keys() != set(variants):
        expected = f"the experiment's variants ({', '.join(sorted(variants))})"
        return f"arms: expected {expected}, found {', '.join(policy.arms)}"
    if unknown := policy.segments.keys() - set(segments):
        expected = f"the experiment's segments ({', '.join(segments)})" if segments else "no segments"
        return f"segments: expected {expected}, found {', '.join(sorted(unknown))}"
    return None


def _uniform(seed: str, cause: str) -> float:
    """A uniform number from 0 to below 1, in 2^53 steps: the full precision of a float.

    The 10,000 buckets of weighted experiments are too coarse here: an arm with a probability of 1 in 30,000 would
    be picked never, or three times as often as its logged propensity says.
    """
    digest = blake2b(f"{seed}\0{cause}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53


def _zero_or_min_probability(probability: float) -> float:
    if 0 < probability < MIN_PROBABILITY:
        raise ValueError(f"0, or at least {MIN_PROBABILITY}")
    return probability


_Probability = Annotated[FiniteFloat, Field(ge=0, le=1), AfterValidator(_zero_or_min_probability)]
_Arms = Annotated[dict[Id, _Probability], Field(min_length=2, max_length=32)]


class _PolicyDocument(Strict):
    """The JSON of a policy, as data scientists publish it."""

    arms: _Arms
    policy_version: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    segments: Annotated[dict[Id, _Arms], Field(default_factory=dict, max_length=MAX_SEGMENTS)]
