"""The library: scores and policies, which a catalog names and data scientists publish beside it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from shared.decisioning.policy import Policy
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import BrokenScore, Score


@dataclass(frozen=True, slots=True)
class Library:
    """Where a decision finds what its catalog names; what is not there, or broken, fails closed."""

    score: Callable[[str, int], Score | BrokenScore] = field(default=Registry(lambda _name, _version: None).get)
    policies: Mapping[str, Policy] = field(default_factory=dict)


def mismatch(policy: Policy, variants: Collection[str]) -> str | None:
    """Why a policy cannot pick among the variants of an experiment, or None."""
    if policy.arms.keys() == set(variants):
        return None
    return (
        f"arms: expected the experiment's variants ({', '.join(sorted(variants))}), found {', '.join(policy.arms)}"
    )
