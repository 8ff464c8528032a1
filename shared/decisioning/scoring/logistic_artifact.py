"""The artifact of a logistic regression: every field, its type and its bounds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, Tag

from shared.decisioning.scoring.artifact import Artifact, Category, Feature, Number, Part, shape


def _shape_of_rule(rule: object) -> str | None:
    if isinstance(rule, dict):
        return "[impute]" if "impute" in rule else "[contribute]" if "contribute" in rule else None
    return "[fail]" if rule == "fail" else None


def _shape_of_coefficient(coefficient: object) -> str | None:
    if isinstance(coefficient, int | float):
        return "[number]"
    return "[fail]" if coefficient == "fail" else None


Fail = Annotated[Literal["fail"], Tag("[fail]")]
"""The rule that rather no score is given than one that guesses."""


class Impute(Part):
    """Go on as if the fact had this value."""

    impute: Number


class Contribute(Part):
    """Let the whole term be this much."""

    contribute: Number


WhenMissing = Annotated[
    Fail | Annotated[Impute, Tag("[impute]")] | Annotated[Contribute, Tag("[contribute]")],
    shape(_shape_of_rule, 'fail, {"impute": NUMBER} or {"contribute": NUMBER}'),
]
NumberOrFail = Annotated[
    Fail | Annotated[Number, Tag("[number]")], shape(_shape_of_coefficient, "a number or fail")
]


class Knot(Part):
    """Where the line of a numeric term bends: adds `coefficient` for each unit beyond `at`."""

    at: Number
    coefficient: Number


class Term(Part):
    """What one fact contributes to the log-odds."""

    feature: Feature


class NumericTerm(Term):
    """What a number contributes to the log-odds."""

    coefficient: Number
    missing: WhenMissing
    center: Number = 0.0
    scale: Annotated[Number, Field(gt=0)] = 1.0
    knots: tuple[Knot, ...] = Field((), max_length=16)
    """In units of the fact itself, not centered and not scaled."""
    min: Number | None = None
    max: Number | None = None
    """A number beyond these bounds counts as the bound."""


class CategoricalTerm(Term):
    """What a text or a boolean contributes to the log-odds."""

    categories: dict[Category, Number] = Field(min_length=1, max_length=1000)
    other: NumberOrFail
    """For a category that is not listed."""
    missing: NumberOrFail


class Logistic(Artifact):
    """A logistic regression: the sum of the intercept and the terms is the log-odds."""

    kind: Literal["logistic"]
    intercept: Number
    numeric: tuple[NumericTerm, ...] = Field((), max_length=128)
    categorical: tuple[CategoricalTerm, ...] = Field((), max_length=128)

    @property
    def terms(self) -> Mapping[str, Sequence[Term]]:
        """The terms by the field they stand in."""
        return {"numeric": self.numeric, "categorical": self.categorical}

    @property
    def mentions(self) -> Iterator[tuple[str, str]]:
        """Every feature with its path."""
        for section, terms in self.terms.items():
            yield from ((f"{section}[{index}].feature", term.feature) for index, term in enumerate(terms))
