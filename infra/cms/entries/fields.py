"""Fields of entries: words, references to other entries, and the JSON of what has no field of its own."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.fields import InvalidJSONInput

from shared.contracts.strict_json import read_object
from shared.domain.errors import Rejected


class _JsonForm(forms.JSONField):
    """A JSON object as an editor types it, as strict as Upbeat reads JSON."""

    def to_python(self, value: Any) -> Any:
        """The object. Raises `ValidationError`."""
        if self.disabled or isinstance(value, dict):
            return value
        if value in self.empty_values:
            return {}
        try:
            return read_object(str(value).encode())
        except (Rejected, UnicodeEncodeError) as error:
            raise ValidationError(str(error)) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """The typed text, which is shown again if it cannot be read."""
        try:
            return super().bound_data(data, initial)
        except (RecursionError, ValueError):
            return InvalidJSONInput(data)


class ObjectField(models.JSONField):
    """A JSON object."""

    def formfield(self, **kwargs: Any) -> forms.Field:
        """See `Field.formfield`."""
        widget = forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
        return super().formfield(**{"form_class": _JsonForm, "widget": widget, **kwargs})


class _WordsForm(forms.CharField):
    """Words, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """The text of a list; what was typed stays as it is."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str] | None:
        """The list of a text; None if there is no word in it."""
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()] or None

    def has_changed(self, initial: Any, data: Any) -> bool:
        """True if other words were typed."""
        return self.to_python(initial) != self.to_python(data)


class WordsField(models.JSONField):
    """A list of words; None if there are none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"null": True, **kwargs})

    def formfield(self, **kwargs: Any) -> forms.Field:
        """See `Field.formfield`."""
        # not JSONField's own, which would give its form field an encoder
        return models.Field.formfield(self, **{"form_class": _WordsForm, **kwargs})


class ReferenceField(models.CharField):
    """The id of another entry, which editors choose from those that there are."""

    def __init__(self, *args: Any, kind: str = "", **kwargs: Any) -> None:
        """`kind` is the type of the other entry, such as `offer`."""
        self.kind = kind
        super().__init__(*args, **{"max_length": 64, **kwargs})

    def formfield(self, **kwargs: Any) -> forms.Field:
        """See `Field.formfield`."""
        wanted = {name: kwargs[name] for name in ("label", "help_text", "required") if name in kwargs}
        defaults = {
            "label": self.verbose_name.capitalize(),
            "help_text": self.help_text,
            "required": not self.blank,
        }
        return forms.ChoiceField(choices=self._known, **{**defaults, **wanted})

    def _known(self) -> Iterator[tuple[str, str]]:
        yield "", "---------"
        ids = apps.get_model("entries", self.kind).objects.order_by("entry_id").values_list("entry_id", flat=True)
        yield from ((one, one) for one in ids)
