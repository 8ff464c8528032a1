"""The mistakes that Upbeat found in what is published, each shown at its entry."""

from typing import Annotated

from django.db import transaction
from pydantic import BaseModel, Field, StringConstraints

from entries.models import Mistake, Report

MAX_MISTAKES = 5_000
Text = Annotated[str, StringConstraints(max_length=10_000)]
Word = Annotated[str, StringConstraints(max_length=128)]


class ReportedMistake(BaseModel):
    """A mistake as Upbeat tells it."""

    type: Word | None = None
    """The type of its entry; None if it is in no entry."""
    id: Word | None = None
    path: Text = ""
    expected: Text = ""
    found: Text = ""
    message: Text


class Reported(BaseModel):
    """A report: all mistakes of the published entries, or the version of the catalog that they make."""

    version: Annotated[str, StringConstraints(max_length=64)] | None = None
    mistakes: list[ReportedMistake] = Field(max_length=MAX_MISTAKES)


@transaction.atomic
def keep(reported: Reported) -> None:
    """Replace what was reported before."""
    Mistake.objects.all().delete()
    Report.objects.all().delete()
    Report.objects.create(version=reported.version or "")
    Mistake.objects.bulk_create(
        Mistake(
            kind=each.type or "",
            entry_id=each.id or "",
            **each.model_dump(include={"path", "expected", "found", "message"}),
        )
        for each in reported.mistakes
    )
