"""Evaluation of boosted trees with QuickScorer: bit vectors of leaves in place of walks from the root.

Each leaf is a bit. A split that sends a user to the right clears the bits of the leaves on its left. When all
splits are done, the lowest bit of each tree that is still set is its exit leaf: the one that a walk would have
reached.

All splits by one measure, of all trees, are merged. They are sorted by threshold, and the bits that remain after
the first n splits are computed beforehand for every n. So a user costs one binary search for each measure and one
look-up for each tree, however deep the trees are. A walk takes more than twice as long.

Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees",
SIGIR 2015, https://doi.org/10.1145/2766462.2767733
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import accumulate
from struct import Struct
from typing import NamedTuple

from shared.decisioning.scoring.facts import Facts, category, number
from shared.decisioning.scoring.trees_artifact import CategoricalSplit, Leaf, NumericSplit, Split, Tree, Trees

LeafBits = int
"""A bit vector of leaves. The leaves of a tree are in order from left to right; the leftmost is the lowest bit."""
_WIDTHS = {8: "B", 16: "H", 32: "I", 64: "Q"}
"""The possible numbers of bits for a tree, each with the `struct` format of an unsigned integer of that size."""


class Measure(NamedTuple):
    """The value that splits compare with thresholds: a number, or 0 for a listed category and 1 for others."""

    feature: str
    categories: frozenset[str] | None
    """The listed categories; None: a number."""

    def of(self, fact: object) -> float:
        """The value of a fact. Raises `Unusable`."""
        if self.categories is None:
            return number(self.feature, fact)
        return 0.0 if category(self.feature, fact) in self.categories else 1.0


class SplitMask(NamedTuple):
    """The leaves that one split excludes if the value is above its threshold."""

    threshold: float
    left_leaves: LeafBits
    excludes_if_missing: bool
    """True if a missing fact goes to the right, so that the left leaves are excluded too."""


class FeatureSplits(NamedTuple):
    """All splits by one measure, of all trees, merged."""

    feature: str
    measure_of: Callable[[object], float]
    thresholds: Sequence[float]
    """In ascending order."""
    remaining: Sequence[LeafBits]
    """The leaves that remain if the value is above the first n thresholds, for n from 0."""
    remaining_if_missing: LeafBits


def sum_of_leaves(content: Trees) -> Callable[[Facts], float]:
    """A function from facts to the sum of the base and one leaf of each tree. Its tables are prepared once."""
    numbered_trees = [_numbered(tree) for tree in content.trees]
    widths = [next(width for width in _WIDTHS if width >= len(leaves)) for leaves, _ in numbered_trees]
    splits_by_feature = _merged((splits for _, splits in numbered_trees), widths)
    leaf_values = [{1 << place: leaf for place, leaf in enumerate(leaves)} for leaves, _ in numbered_trees]
    base, all_leaves, size = content.base, (1 << sum(widths)) - 1, sum(widths) // 8
    bits_by_tree = Struct("<" + "".join(_WIDTHS[width] for width in widths)).unpack

    def sum_of_leaves_of(facts: Facts) -> float:
        remaining = all_leaves
        for feature, measure_of, thresholds, remaining_above, remaining_if_missing in splits_by_feature:
            fact = facts.get(feature)
            if fact is None:
                remaining &= remaining_if_missing
            else:
                remaining &= remaining_above[bisect_left(thresholds, measure_of(fact))]
        total = base
        for bits, values in zip(bits_by_tree(remaining.to_bytes(size, "little")), leaf_values, strict=True):
            total += values[bits & -bits]  # the lowest bit that is set: the exit leaf
        return total

    return sum_of_leaves_of


def _numbered(tree: Tree) -> tuple[list[float], list[tuple[Split, LeafBits]]]:
    """The values of the leaves from left to right, and the splits, each with the leaves on its left."""
    leaves: list[float] = []
    splits: list[tuple[Split, LeafBits]] = []

    def leaves_under(index: int) -> LeafBits:
        node = tree[index]
        if isinstance(node, Leaf):
            leaves.append(node.leaf)
            return 1 << (len(leaves) - 1)
        left = leaves_under(node.left)
        splits.append((node, left))
        return left | leaves_under(node.right)

    leaves_under(0)
    return leaves, splits


def _merged(
    splits_of_trees: Iterable[Iterable[tuple[Split, LeafBits]]], widths: Sequence[int]
) -> list[FeatureSplits]:
    masks: dict[Measure, list[SplitMask]] = {}
    offsets = accumulate(widths, initial=0)
    for splits, offset in zip(splits_of_trees, offsets, strict=False):
        for split, left_leaves in splits:
            mask = SplitMask(_threshold(split), left_leaves << offset, split.missing == "right")
            masks.setdefault(_measure(split), []).append(mask)
    all_leaves = (1 << sum(widths)) - 1
    return [_feature_splits(measure, masks[measure], all_leaves) for measure in masks]


def _feature_splits(measure: Measure, masks: list[SplitMask], all_leaves: LeafBits) -> FeatureSplits:
    masks.sort(key=lambda mask: mask.threshold)
    return FeatureSplits(
        measure.feature,
        measure.of,
        [mask.threshold for mask in masks],
        [*accumulate(masks, _without, initial=all_leaves)],
        reduce(_without, (mask for mask in masks if mask.excludes_if_missing), all_leaves),
    )


def _without(remaining: LeafBits, mask: SplitMask) -> LeafBits:
    return remaining & ~mask.left_leaves


def _measure(split: Split) -> Measure:
    categories = frozenset(split.categories) if isinstance(split, CategoricalSplit) else None
    return Measure(split.feature, categories)


def _threshold(split: Split) -> float:
    """The threshold; for categories, a number between the values 0 (listed) and 1 (other)."""
    return split.threshold if isinstance(split, NumericSplit) else 0.5
