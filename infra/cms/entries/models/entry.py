"""The base of all entries of the catalog."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    WorkflowMixin,
)

from entries import lint
from entries.fields import ObjectField
from entries.written import as_column, as_written, is_same
from shared.decisioning.document.entries import SETTINGS, Entry


class CatalogEntry(PreviewableMixin, WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, models.Model):
    """An entry of the catalog. What its type has no column for is in `more`, by the names of the catalog.

    The row of an entry that is live holds what is published; drafts are revisions.
    """

    section: ClassVar[str]
    """The section of the catalog, such as `offers`."""

    entry_id = models.CharField(
        "id",
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z", "expected letters, digits, _ or -")],
        help_text="The name by which catalog, history and reports know it. It cannot be changed later.",
    )
    more = ObjectField(
        "more fields",
        default=dict,
        blank=True,
        help_text="A JSON object with the fields of the catalog that have no place above.",
    )

    class Meta:
        """Options of the model."""

        abstract = True

    def __str__(self) -> str:
        """The id."""
        return self.entry_id

    @classmethod
    def kind(cls) -> str:
        """The type of the entry, such as `offer`."""
        return cls.section if cls.section == SETTINGS else cls.section.removesuffix("s")

    @classmethod
    def columns(cls) -> Mapping[str, models.Field]:
        """The columns that are fields of the catalog, by name."""
        common = {field.name for field in CatalogEntry._meta.get_fields()} | {"id"}
        return {field.name: field for field in cls._meta.local_fields if field.name not in common}

    def fields(self) -> dict[str, Any]:
        """The entry as the catalog has it, without fields that have their default."""
        written = {name: as_written(column, getattr(self, name)) for name, column in self.columns().items()}
        return {name: value for name, value in written.items() if value is not None} | self.more

    def assign(self, fields: Mapping[str, Any]) -> None:
        """Take over an entry of a catalog. What a column cannot hold as it is goes to `more`."""
        columns, self.more = self.columns(), {}
        for name, value in fields.items():
            if value is not None and not self._take(name, value, columns):
                self.more[name] = value

    def as_entry(self) -> Entry:
        """The entry as the rules of the catalog take it."""
        return lint.as_entry(self.section, self.kind(), self.entry_id, self.fields())

    def clean(self) -> None:
        """Check what can be told of this entry alone. Raises `ValidationError`."""
        super().clean()
        if not isinstance(self.more, dict):
            raise ValidationError({"more": "expected a JSON object"})
        entry = self.as_entry()
        mistakes: dict[str | None, list[str]] = {}
        for name, column in self.columns().items():
            if name in self.more and as_written(column, getattr(self, name)) is not None:
                mistakes["more"] = [*mistakes.get("more", []), f"{name}: expected it once, found it above as well"]
        for problem in lint.problems_of(entry):
            name = lint.field_of(problem, entry)
            field = name if name in self.columns() and name not in self.more else "more"
            mistakes.setdefault(field, []).append(problem)
        if mistakes:
            raise ValidationError(mistakes)

    def get_preview_template(self, request: Any, mode_name: str) -> str:  # noqa: ARG002
        """See `PreviewableMixin`."""
        return "entries/preview.html"

    def get_preview_context(self, request: Any, mode_name: str) -> dict[str, Any]:
        """See `PreviewableMixin`."""
        from entries import drafts  # noqa: PLC0415 - it needs the models

        written = json.dumps({self.entry_id: self.fields()}, indent=2, ensure_ascii=False)
        context = super().get_preview_context(request, mode_name)
        return {**context, "written": written, "problems": drafts.problems(self)}

    def _take(self, name: str, value: Any, columns: Mapping[str, models.Field]) -> bool:
        """Put a value into its column. False if there is none, or if it would become another value."""
        if (column := columns.get(name)) is None:
            return False
        before = getattr(self, name)
        try:
            setattr(self, name, as_column(column, value))
            if is_same(value, as_written(column, getattr(self, name))):
                return True
        except (ValidationError, ValueError, TypeError, AttributeError):
            pass
        setattr(self, name, before)
        return isinstance(column, models.BooleanField) and value is False
