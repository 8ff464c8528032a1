"""What every score says of itself in its artifact, and the words that all kinds share."""

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


def shape(of: Callable[[object], str | None], expected: str) -> Discriminator:
    """Which of several shapes is meant, so that a mistake in one is not reported as a mistake in all."""
    return Discriminator(of, custom_error_type="shape", custom_error_message=expected)


Feature = Annotated[str, AfterValidator(_feature)]
"""The name of a fact, as in a clause of an audience."""
Number = Annotated[FiniteFloat, Field(ge=-1e12, le=1e12)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Category = Annotated[str, StringConstraints(max_length=128)]


class Part(Strict):
    """A part of an artifact: what checks it is built when the first is read, so that it costs no start-up."""

    model_config = ConfigDict(defer_build=True)


class Training(Part):
    """Where the numbers come from: for people, never read by the evaluator."""

    on: Text
    """The data."""
    at: date
    rows: int = Field(ge=0)
    """How many rows trained the coefficients; 0 where none did."""
    how: Text
    metrics: dict[Id, FiniteFloat] = Field({}, max_length=64)
    judged: tuple[Feature, ...] = Field((), max_length=256)
    """The features of which no coefficient was trained: somebody set them by judgement."""


class Artifact(Part):
    """What every score says of itself."""

    name: Id
    version: int = Field(ge=1, le=1_000_000)
    description: Text
    trained: Training
