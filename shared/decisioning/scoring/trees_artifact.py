"""The artifact of boosted trees: every field, its type and its bounds."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, Tag

from shared.decisioning.scoring.artifact import Artifact, Category, Feature, Number, Part, shape


def _shape_of_node(node: object) -> str | None:
    if not isinstance(node, dict):
        return None
    if "leaf" in node:
        return "[leaf]"
    return "[categories]" if "categories" in node else "[threshold]"


class Leaf(Part):
    """The end of a way through a tree: what it adds."""

    leaf: Number


Child = Annotated[int, Field(ge=1)]
"""The index of a node in its tree; children come after their parent."""


class Split(Part):
    """A fork in a tree."""

    feature: Feature
    left: Child
    right: Child
    missing: Literal["left", "right"]


class NumericSplit(Split):
    """Left for a number up to the threshold, right beyond it."""

    threshold: Number


class CategoricalSplit(Split):
    """Left for one of the categories, right for any other."""

    categories: tuple[Category, ...] = Field(min_length=1, max_length=256)


Node = Annotated[
    Annotated[Leaf, Tag("[leaf]")]
    | Annotated[CategoricalSplit, Tag("[categories]")]
    | Annotated[NumericSplit, Tag("[threshold]")],
    shape(_shape_of_node, '{"leaf": NUMBER}, or a feature with a threshold or with categories'),
]
Tree = Annotated[tuple[Node, ...], Field(min_length=1, max_length=127)]
"""At most 64 leaves; the first node is the root."""


class Trees(Artifact):
    """Boosted trees: the sum of the base and of one leaf a tree is the log-odds, or the score itself."""

    kind: Literal["trees"]
    base: Number
    link: Literal["logistic", "identity"]
    trees: tuple[Tree, ...] = Field(min_length=1, max_length=1000)

    @property
    def mentions(self) -> Iterator[tuple[str, str]]:
        """Every feature with its path, as often as it is named."""
        for number, tree in enumerate(self.trees):
            for index, node in enumerate(tree):
                if not isinstance(node, Leaf):
                    yield f"trees[{number}][{index}].feature", node.feature
