"""The artifact of boosted trees: every field with its type and bounds."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, Tag

from shared.decisioning.scoring.artifact import Artifact, Category, Feature, Number, Part, shape_discriminator


def _shape_of_node(node: object) -> str | None:
    if not isinstance(node, dict):
        return None
    if "leaf" in node:
        return "[leaf]"
    return "[categories]" if "categories" in node else "[threshold]"


class Leaf(Part):
    """A leaf, with the value that it adds to the sum."""

    leaf: Number


Child = Annotated[int, Field(ge=1)]
"""The index of a node in its tree. Children come after their parent."""


class Split(Part):
    """An inner node of a tree."""

    feature: Feature
    left: Child
    right: Child
    missing: Literal["left", "right"]


class NumericSplit(Split):
    """A split by a number: left if it is at most the threshold, else right."""

    threshold: Number


class CategoricalSplit(Split):
    """A split by a category: left if it is listed, else right."""

    categories: tuple[Category, ...] = Field(min_length=1, max_length=256)


Node = Annotated[
    Annotated[Leaf, Tag("[leaf]")]
    | Annotated[CategoricalSplit, Tag("[categories]")]
    | Annotated[NumericSplit, Tag("[threshold]")],
    shape_discriminator(_shape_of_node, '{"leaf": NUMBER}, or a feature with a threshold or with categories'),
]
Tree = Annotated[tuple[Node, ...], Field(min_length=1, max_length=127)]
"""The nodes of a tree, the root first. 127 nodes have at most 64 leaves, which fit into a 64-bit vector."""


class Trees(Artifact):
    """Boosted trees: `base` plus one leaf of each tree is the log-odds, or the score itself."""

    kind: Literal["trees"]
    base: Number
    link: Literal["logistic", "identity"]
    """`logistic`: the sum is the log-odds. `identity`: the sum is the score."""
    trees: tuple[Tree, ...] = Field(min_length=1, max_length=1000)

    @property
    def mentions(self) -> Iterator[tuple[str, str]]:
        """The path and the name of the feature of every split."""
        for number, tree in enumerate(self.trees):
            for index, node in enumerate(tree):
                if not isinstance(node, Leaf):
                    yield f"trees[{number}][{index}].feature", node.feature
