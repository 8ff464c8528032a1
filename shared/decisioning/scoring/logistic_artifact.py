"""The artifact of a logistic regression: every field with its type and bounds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, Tag

from shared.decisioning.scoring.artifact import Artifact, Category, Feature, Number, Part, shape_discriminator


def _shape_of_rule(rule: object) -> str | None:
    if isinstance(rule, dict):
        return "[impute]" if "impute" in rule else "[contribute]" if "contribute" in rule else None
    return "[fail]" if rule == "fail" else None


def _shape_of_coefficient(coefficient: object) -> str | None:
    if isinstance(coefficient, int | float):
        return "[number]"
    return "[fail]" if coefficient == "fail" else None


Fail = Annotated[Literal["fail"], Tag("[fail]")]
"""The rule that the score fails rather than guesses."""


class Impute(Part):
    """The rule that a missing fact counts as this value."""

    impute: Number


class Contribute(Part):
    """The rule that the whole term has this value if the fact is missing."""

    contribute: Number


WhenMissing = Annotated[
    Fail | Annotated[Impute, Tag("[impute]")] | Annotated[Contribute, Tag("[contribute]")],
    shape_discriminator(_shape_of_rule, 'fail, {"impute": NUMBER} or {"contribute": NUMBER}'),
]
NumberOrFail = Annotated[
    Fail | Annotated[Number, Tag("[number]")], shape_discriminator(_shape_of_coefficient, "a number or fail")
]


class Knot(Part):
    """A knot of a piecewise linear term: it adds `coefficient` for each unit beyond `at`."""

    at: Number
    coefficient: Number


class Term(Part):
    """The contribution of one fact to the log-odds."""

    feature: Feature


class NumericTerm(Term):
    """The contribution of a number to the log-odds."""

    coefficient: Number
    missing: WhenMissing
    center: Number = 0.0
    scale: Annotated[Number, Field(gt=0)] = 1.0
    knots: tuple[Knot, ...] = Field((), max_length=16)
    """The knots, in units of the fact itself: neither centered nor scaled."""
    min: Number | None = None
    max: Number | None = None
    """A number outside `min` and `max` counts as the nearer bound."""


class CategoricalTerm(Term):
    """The contribution of a category (text, a boolean or a whole number) to the log-odds."""

    categories: dict[Category, Number] = Field(min_length=1, max_length=1000)
    """The contribution of each category."""
    other: NumberOrFail
    """The contribution of a category that is not listed."""
    missing: NumberOrFail
    """The contribution if the fact is missing."""


class Logistic(Artifact):
    """A logistic regression: the sum of the intercept and the terms is the log-odds."""

    kind: Literal["logistic"]
    intercept: Number
    numeric: tuple[NumericTerm, ...] = Field((), max_length=128)
    categorical: tuple[CategoricalTerm, ...] = Field((), max_length=128)

    @property
    def terms(self) -> Mapping[str, Sequence[Term]]:
        """The terms, by the name of their field."""
        return {"numeric": self.numeric, "categorical": self.categorical}

    @property
    def mentions(self) -> Iterator[tuple[str, str]]:
        """The path and the name of every feature."""
        for section, terms in self.terms.items():
            yield from ((f"{section}[{index}].feature", term.feature) for index, term in enumerate(terms))
