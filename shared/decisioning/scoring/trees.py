"""The sum of boosted trees: facts become a row of numbers once, and every tree is then a walk of comparisons."""

from collections.abc import Callable
from math import inf
from typing import NamedTuple

from shared.decisioning.scoring.facts import Facts, category, number
from shared.decisioning.scoring.trees_artifact import CategoricalSplit, Leaf, NumericSplit, Split, Tree, Trees

Walk = float | tuple[int, float, "Walk", "Walk"]
"""A leaf; or a place in the row, the threshold up to which the way goes left, and both ways on."""


class Measure(NamedTuple):
    """What a split asks of a user: a number; or a category, where one of those named is 0 and any other is 1."""

    feature: str
    categories: frozenset[str] | None
    """None: a number."""

    def of(self, fact: object) -> float:
        """The measure of a fact. Raises `Unusable`."""
        if self.categories is None:
            return number(self.feature, fact)
        return 0.0 if category(self.feature, fact) in self.categories else 1.0


def sum_of_leaves(content: Trees) -> Callable[[Facts], float]:
    """The function that adds up the base and one leaf of each tree, prepared once."""
    places: dict[Measure, int] = {}
    walks = [_walk(tree, places) for tree in content.trees]
    measures, base = [(measure.feature, measure.of) for measure in places], content.base

    def sum_of_leaves_of(facts: Facts) -> float:
        row: list[float] = []
        for feature, measure_of in measures:
            fact = facts.get(feature)
            row += (-inf, inf) if fact is None else (measure := measure_of(fact), measure)
        total = base
        for node in walks:
            while isinstance(node, tuple):
                place, threshold, left, right = node
                node = left if row[place] <= threshold else right  # noqa: PLW2901 - the walk
            total += node
        return total

    return sum_of_leaves_of


def _walk(tree: Tree, places: dict[Measure, int]) -> Walk:
    """A tree as nested tuples, made from its end, since children come after their parent."""
    walks: dict[int, Walk] = {}
    for index in reversed(range(len(tree))):
        node = tree[index]
        if isinstance(node, Leaf):
            walks[index] = node.leaf
        else:
            walks[index] = _place(node, places), _threshold(node), walks[node.left], walks[node.right]
    return walks[0]


def _place(split: Split, places: dict[Measure, int]) -> int:
    """Each measure stands in the row twice, so that what is missing needs no case in a walk.

    First for splits that send it to the left (minus infinity is below every threshold), then for the others.
    """
    categories = frozenset(split.categories) if isinstance(split, CategoricalSplit) else None
    first = 2 * places.setdefault(Measure(split.feature, categories), len(places))
    return first if split.missing == "left" else first + 1


def _threshold(split: Split) -> float:
    return split.threshold if isinstance(split, NumericSplit) else 0.5
