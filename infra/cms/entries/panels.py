"""Parts of the admin's pages: the mistakes of an entry, and how things stand with Upbeat."""

from functools import cached_property
from typing import Any

from wagtail.admin.panels import Panel
from wagtail.admin.ui.components import Component

from entries import drafts
from entries.models import KINDS, Mistake, Report, Webhook
from entries.published import place

SHOWN = 20
"""The mistakes that the first page shows."""


class MistakesPanel(Panel):
    """The mistakes that Upbeat found in the published entry, and those that it would find in the drafts."""

    class BoundPanel(Panel.BoundPanel):
        """The panel of one entry."""

        template_name = "entries/mistakes.html"

        def is_shown(self) -> bool:
            """True if there is a mistake."""
            return bool(self.instance.pk and (self.reported or self.in_drafts))

        @cached_property
        def reported(self) -> list[Mistake]:
            """The mistakes that Upbeat reported of what is published."""
            return [*Mistake.objects.filter(kind=self.instance.kind(), entry_id=self.instance.entry_id)]

        @cached_property
        def in_drafts(self) -> list[str]:
            """The mistakes that would be reported besides if all drafts were published; none beside errors."""
            if self.form.errors:
                return []
            told = {mistake.message for mistake in self.reported}
            return [problem for problem in drafts.problems(self.instance) if problem not in told]


class UpbeatPanel(Component):
    """The state of the exchange with Upbeat, on the first page."""

    order = 10
    template_name = "entries/upbeat.html"

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        """See `Component`."""
        latest = Webhook.objects.order_by("-pk").first()
        return {
            "request": parent_context["request"],
            "report": Report.objects.order_by("-pk").first(),
            "mistakes": Mistake.objects.count(),
            "first": [(mistake, _place(mistake)) for mistake in Mistake.objects.order_by("pk")[:SHOWN]],
            "waiting": latest if latest and not latest.answered_at else None,
        }


def _place(mistake: Mistake) -> str | None:
    """The address of a mistake's entry; None if there is no such entry."""
    model = KINDS.get(mistake.kind)
    entry = model.objects.filter(entry_id=mistake.entry_id).first() if model else None
    return place(entry) if entry else None
