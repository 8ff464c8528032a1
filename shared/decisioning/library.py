"""The library: the scores and policies that a catalog names. Data scientists publish them beside the catalog."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from shared.contracts.strict_json import read_object
from shared.decisioning.experiments.policy import InvalidPolicy, Policy, mismatch, parse_policy
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import BrokenScore, Score
from shared.domain.errors import Rejected


@dataclass(frozen=True, slots=True)
class Library:
    """Access to the scores and policies that a catalog names. A missing or broken one fails closed."""

    score: Callable[[str, int], Score | BrokenScore] = field(default=Registry(lambda _name, _version: None).get)
    policies: Mapping[str, Policy] = field(default_factory=dict)


def read_policy(
    name: str, data: bytes | None, variants: Collection[str], segments: Collection[str], missing: str
) -> Policy:
    """The policy that a JSON text describes.

    Raises `InvalidPolicy` if the text is invalid, if the policy does not fit the variants and segments of its
    experiment, or if `data` is None (with `missing` as the problem).
    """
    if data is None:
        raise InvalidPolicy(name, [missing])
    try:
        policy = parse_policy(name, read_object(data))
    except Rejected as rejected:
        raise InvalidPolicy(name, [rejected.detail]) from rejected
    if problem := mismatch(policy, variants, segments):
        raise InvalidPolicy(name, [problem])
    return policy
