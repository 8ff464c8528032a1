"""The form of an entry."""

from typing import Any

from wagtail.admin.forms.models import WagtailAdminModelForm

from shared.decisioning.document.entries import SETTINGS


class EntryForm(WagtailAdminModelForm):
    """The form of an entry, whose id is given once: history and reports know the entry by it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["entry_id"]
        if self.instance.pk:
            field.disabled = True
        elif self.instance.section == SETTINGS:
            field.disabled, field.initial = True, SETTINGS
