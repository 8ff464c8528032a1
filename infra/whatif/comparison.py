"""The counts of a comparison: of some users, and of more by putting the counts of disjoint users together."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from heapq import merge
from itertools import islice
from typing import NamedTuple, TypeVar

from infra.whatif.result import BeforeAfter, CampaignEffect, Cause, Effect, Example, PlacementEffect

Value = TypeVar("Value")


class ExperimentUsers(NamedTuple):
    """The users of one experiment; see `ExperimentStudy`."""

    fates: Mapping[str, int]
    """The users who were assigned at the switch, by what the catalog after does with them."""
    new_before: Mapping[str, int]
    new_after: Mapping[str, int]


class Comparison(NamedTuple):
    """The effects of both catalogs on some users, apart from what the catalogs alone tell."""

    events_read: int = 0
    issued: BeforeAfter = BeforeAfter(0, 0)
    users: BeforeAfter = BeforeAfter(0, 0)
    revoked: BeforeAfter = BeforeAfter(0, 0)
    dead_lettered: BeforeAfter = BeforeAfter(0, 0)
    placements: Mapping[str, PlacementEffect] = {}
    campaigns: Mapping[str, CampaignEffect] = {}
    """The campaigns that issued a trigger by either catalog."""
    experiments: Mapping[str, ExperimentUsers] = {}
    """The experiments that have a user."""
    reasons: Mapping[str, frozenset[str | None]] = {}
    """For each campaign that the catalog after considered since the switch, why it lost; None if it did not."""


def merged(comparisons: Iterable[Comparison], examples: int) -> Comparison:
    """The comparison of all users together; no user may be in two of these.

    The result does not depend on the order, nor on how users are divided.
    """
    return reduce(lambda one, other: _both(one, other, examples), comparisons, Comparison())


def _both(one: Comparison, other: Comparison, examples: int) -> Comparison:
    return Comparison(
        one.events_read + other.events_read,
        one.issued + other.issued,
        one.users + other.users,
        one.revoked + other.revoked,
        one.dead_lettered + other.dead_lettered,
        _joined(one.placements, other.placements, _placement),
        _joined(one.campaigns, other.campaigns, lambda a, b: _campaign(a, b, examples)),
        _joined(one.experiments, other.experiments, _experiment),
        _joined(one.reasons, other.reasons, frozenset.union),
    )


def causes_of(counts: Mapping[tuple[str, str | None], int]) -> tuple[Cause, ...]:
    """The causes of an effect, most frequent first."""
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    return tuple(Cause(*cause, triggers) for cause, triggers in most_first)


def _joined(
    one: Mapping[str, Value], other: Mapping[str, Value], both: Callable[[Value, Value], Value]
) -> Mapping[str, Value]:
    joined = {**one}
    for id_, value in other.items():
        joined[id_] = both(joined[id_], value) if id_ in joined else value
    return joined


def _placement(one: PlacementEffect, other: PlacementEffect) -> PlacementEffect:
    return PlacementEffect(one.issued + other.issued, one.users + other.users)


def _campaign(one: CampaignEffect, other: CampaignEffect, examples: int) -> CampaignEffect:
    return CampaignEffect(
        one.issued + other.issued,
        one.users + other.users,
        _effect(one.appear, other.appear, examples),
        _effect(one.vanish, other.vanish, examples),
        _effect(one.change, other.change, examples),
    )


def _effect(one: Effect, other: Effect, examples: int) -> Effect:
    causes = Counter({(it.reason, it.detail): it.triggers for it in one.causes})
    causes.update({(it.reason, it.detail): it.triggers for it in other.causes})
    return Effect(
        one.triggers + other.triggers,
        one.users + other.users,
        causes_of(causes),
        tuple(islice(merge(one.examples, other.examples, key=_age), examples)),
    )


def _age(example: Example) -> tuple[str, str]:
    """Sort key: oldest first, and by user at the same instant. A user's own examples are in order already."""
    return example.decided_at, example.user_id


def _experiment(one: ExperimentUsers, other: ExperimentUsers) -> ExperimentUsers:
    return ExperimentUsers(*(_sum(*pair) for pair in zip(one, other, strict=True)))


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return _joined(one, other, int.__add__)
