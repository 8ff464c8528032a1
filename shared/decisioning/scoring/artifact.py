"""The fields that all kinds of score artifacts share, and their types."""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, FiniteFloat, StringConstraints

from shared.decisioning.document.vocabulary import Id, Strict


@lru_cache(maxsize=1000)
def _feature(text: str) -> str:
    if not re.fullmatch(r"(?=.{1,128}$)[A-Za-z]\w*(?:\.\w+)*", text, re.ASCII):
        raise ValueError("the name of a fact, such as subscription.recent_payments")
    return text


def shape_discriminator(tag_of: Callable[[object], str | None], expected: str) -> Discriminator:
    """The discriminator of a union. With it, a mistake in one shape is not reported as a mistake in all shapes."""
    return Discriminator(tag_of, custom_error_type="shape", custom_error_message=expected)


Feature = Annotated[str, AfterValidator(_feature)]
"""The name of a fact, as in a clause of an audience."""
Number = Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Category = Annotated[str, StringConstraints(max_length=128)]


class Part(Strict):
    """A part of an artifact. Its validator is built when the first artifact is read, to keep cold starts short."""

    model_config = ConfigDict(defer_build=True)


class Training(Part):
    """The origin of the numbers. It is for people; the evaluator does not read it."""

    on: Text
    """The training data."""
    at: date
    """The day of the training."""
    rows: int = Field(ge=0)
    """The number of training rows; 0 if no data was used."""
    how: Text
    """The method."""
    metrics: dict[Id, FiniteFloat] = Field({}, max_length=64)
    judged: tuple[Feature, ...] = Field((), max_length=256)
    """The features whose coefficients were not trained: somebody set them by judgement."""


class Artifact(Part):
    """The fields of every score artifact."""

    name: Id
    version: int = Field(ge=1, le=1_000_000)
    description: Text
    trained: Training
