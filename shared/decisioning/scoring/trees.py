"""The sum of boosted trees, found without walking through them.

Every leaf is a bit. A split that sends a user to the right strikes out the leaves on its left; of those that stand
in the end, the leftmost of each tree is the one that a walk would have reached. A fact exceeds the first so many
thresholds that it is compared with, and what then stands is prepared for each count. So a user costs one look-up
for each fact and one for each tree, however deep the trees are; a walk takes more than twice as long.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import accumulate
from struct import Struct
from typing import NamedTuple

from shared.decisioning.scoring.facts import Facts, category, number
from shared.decisioning.scoring.trees_artifact import CategoricalSplit, Leaf, NumericSplit, Split, Tree, Trees

Bits = int
"""Leaves, each a bit; those of a tree from left to right begin with the lowest."""
_WIDTHS = {8: "B", 16: "H", 32: "I", 64: "Q"}
"""How many leaves a tree may have room for, and how `struct` calls a number of so many bits."""


class Measure(NamedTuple):
    """What splits ask of a user: a number; or a category, where one of those named is 0 and any other is 1."""

    feature: str
    categories: frozenset[str] | None
    """None: a number."""

    def of(self, fact: object) -> float:
        """The measure of a fact. Raises `Unusable`."""
        if self.categories is None:
            return number(self.feature, fact)
        return 0.0 if category(self.feature, fact) in self.categories else 1.0


class Strike(NamedTuple):
    """What a split strikes out where the measure is beyond the threshold."""

    threshold: float
    left: Bits
    if_missing: bool
    """Whether it strikes also where the fact is missing."""


class Question(NamedTuple):
    """All splits by one measure, of all trees, as one."""

    feature: str
    measure_of: Callable[[object], float]
    thresholds: Sequence[float]
    standing: Sequence[Bits]
    """What stands where so many of the thresholds, from the lowest, are exceeded."""
    standing_if_missing: Bits


def sum_of_leaves(content: Trees) -> Callable[[Facts], float]:
    """The function that adds up the base and one leaf of each tree, prepared once."""
    numbered = [_numbered(tree) for tree in content.trees]
    widths = [next(width for width in _WIDTHS if width >= len(leaves)) for leaves, _ in numbered]
    questions = _questions((splits for _, splits in numbered), widths)
    leaves_of_trees = [{1 << place: leaf for place, leaf in enumerate(leaves)} for leaves, _ in numbered]
    base, every_leaf, size = content.base, (1 << sum(widths)) - 1, sum(widths) // 8
    by_tree = Struct("<" + "".join(_WIDTHS[width] for width in widths)).unpack

    def sum_of_leaves_of(facts: Facts) -> float:
        standing = every_leaf
        for feature, measure_of, thresholds, standing_beyond, standing_if_missing in questions:
            fact = facts.get(feature)
            if fact is None:
                standing &= standing_if_missing
            else:
                standing &= standing_beyond[bisect_left(thresholds, measure_of(fact))]
        total = base
        for bits, leaves in zip(by_tree(standing.to_bytes(size, "little")), leaves_of_trees, strict=True):
            total += leaves[bits & -bits]  # the lowest bit
        return total

    return sum_of_leaves_of


def _numbered(tree: Tree) -> tuple[list[float], list[tuple[Split, Bits]]]:
    """The leaves from left to right, and the splits, each with the leaves on its left."""
    leaves: list[float] = []
    splits: list[tuple[Split, Bits]] = []

    def leaves_under(index: int) -> Bits:
        node = tree[index]
        if isinstance(node, Leaf):
            leaves.append(node.leaf)
            return 1 << (len(leaves) - 1)
        left = leaves_under(node.left)
        splits.append((node, left))
        return left | leaves_under(node.right)

    leaves_under(0)
    return leaves, splits


def _questions(splits_of_trees: Iterable[Iterable[tuple[Split, Bits]]], widths: Sequence[int]) -> list[Question]:
    strikes: dict[Measure, list[Strike]] = {}
    offsets = accumulate(widths, initial=0)
    for splits, offset in zip(splits_of_trees, offsets, strict=False):
        for split, left in splits:
            strike = Strike(_threshold(split), left << offset, split.missing == "right")
            strikes.setdefault(_measure(split), []).append(strike)
    every_leaf = (1 << sum(widths)) - 1
    return [_question(measure, strikes[measure], every_leaf) for measure in strikes]


def _question(measure: Measure, strikes: list[Strike], every_leaf: Bits) -> Question:
    strikes.sort(key=lambda strike: strike.threshold)
    return Question(
        measure.feature,
        measure.of,
        [strike.threshold for strike in strikes],
        [*accumulate(strikes, _without, initial=every_leaf)],
        reduce(_without, (strike for strike in strikes if strike.if_missing), every_leaf),
    )


def _without(standing: Bits, strike: Strike) -> Bits:
    return standing & ~strike.left


def _measure(split: Split) -> Measure:
    categories = frozenset(split.categories) if isinstance(split, CategoricalSplit) else None
    return Measure(split.feature, categories)


def _threshold(split: Split) -> float:
    return split.threshold if isinstance(split, NumericSplit) else 0.5
