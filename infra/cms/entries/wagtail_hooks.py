"""The pages of Wagtail's admin: one listing for each type of entry."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from wagtail import hooks
from wagtail.admin.panels import FieldPanel, ObjectList, Panel
from wagtail.admin.ui.tables import Column, LiveStatusTagColumn, UpdatedAtColumn
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import CopyView, EditView, SnippetViewSet, SnippetViewSetGroup

from entries.forms import EntryForm
from entries.models import KINDS, CatalogEntry, Mistake
from entries.panels import MistakesPanel, UpbeatPanel

NOT_OF_A_CATALOG = {"explorer", "images", "documents"}
"""Items of Wagtail's menu that are about what this site has none of."""
ICONS = {
    "campaign": "calendar-alt",
    "offer": "tag",
    "audience": "group",
    "placement": "view",
    "channel": "mail",
    "experiment": "rotate",
    "holdout": "no-view",
    "attribute": "user",
    "feature": "table",
    "score": "decimal",
    "settings": "cogs",
}


class EntryEditView(EditView):
    """The page of an entry. What awaits an approval is approved as it is, or changed after a refusal."""

    def is_valid(self, form: EntryForm) -> bool:
        """See `EditView`."""
        if not super().is_valid(form):
            return False
        if self.action == "edit" and self.object.workflow_in_progress:
            return self._refuse("awaiting", "It awaits an approval: request changes before you change it.")
        submitted = self.live_object.get_latest_revision_as_object()
        if self.action == "workflow-action" and form.instance.fields() != submitted.fields():
            return self._refuse("changed", "It differs from what was submitted: request changes instead.")
        return True

    def save_instance(self) -> CatalogEntry:
        """See `EditView`. An approval saves nothing: the revision that was submitted is published."""
        if self.action == "workflow-action":
            self.has_content_changes, self.new_revision = False, None
            return self.object
        return super().save_instance()

    def _refuse(self, code: str, message: str) -> bool:
        self.produced_error_code, self.produced_error_message = code, message
        return False


class EntryCopyView(CopyView):
    """The page of a new entry, filled in as another one is."""

    def get_initial_form_instance(self) -> CatalogEntry:
        """The other entry, without what is its own."""
        entry = super().get_initial_form_instance()
        entry.pk, entry.entry_id = None, ""
        return entry


class EntryViewSet(SnippetViewSet):
    """The pages of one type of entry."""

    ordering = ("entry_id",)
    list_per_page = 100
    search_fields = ("entry_id",)
    list_display = (
        "__str__",
        Column("mistakes", label="Mistakes", accessor="mistakes"),
        UpdatedAtColumn(),
        LiveStatusTagColumn(),
    )
    edit_view_class = EntryEditView
    copy_view_class = EntryCopyView

    def get_queryset(self, request: Any) -> QuerySet[CatalogEntry]:  # noqa: ARG002
        """The rows, each with the number of its mistakes; None if there are none."""
        reported = Mistake.objects.filter(kind=self.model.kind(), entry_id=OuterRef("entry_id"))
        counts = reported.order_by().values("entry_id").annotate(count=Count("pk")).values("count")
        return self.model.objects.annotate(mistakes=Subquery(counts, output_field=IntegerField()))

    def get_edit_handler(self) -> Panel:
        """The panels, in the order of the columns."""
        fields = [FieldPanel(name) for name in ("entry_id", *self.model.columns(), "more")]
        return ObjectList([MistakesPanel(), *fields], base_form_class=EntryForm).bind_to_model(self.model)


VIEWSETS = tuple(
    type(f"{model.__name__}ViewSet", (EntryViewSet,), {"model": model, "icon": ICONS[kind]})
    for kind, model in KINDS.items()
)


class CatalogGroup(SnippetViewSetGroup):
    """The menu of the catalog."""

    items = VIEWSETS
    menu_label = "Catalog"
    menu_icon = "list-ul"
    menu_order = 100


register_snippet(CatalogGroup)


@hooks.register("construct_main_menu")
def leave_out_pages(request: Any, items: list[Any]) -> None:  # noqa: ARG001
    """Leave out of the menu what this site has none of."""
    items[:] = [item for item in items if item.name not in NOT_OF_A_CATALOG]


@hooks.register("construct_snippet_action_menu")
def approve_first(items: list[Any], request: Any, context: dict[str, Any]) -> None:  # noqa: ARG001
    """While an entry awaits an approval, offer that first, and no draft."""
    entry = context.get("instance")
    if isinstance(entry, CatalogEntry) and entry.workflow_in_progress:
        items[:] = sorted(
            (one for one in items if one.name != "action-save"), key=lambda one: one.name != "approve"
        )


@hooks.register("construct_homepage_summary_items")
def leave_out_summary(request: Any, items: list[Any]) -> None:  # noqa: ARG001
    """Leave out the number of pages."""
    items.clear()


@hooks.register("construct_homepage_panels")
def add_upbeat(request: Any, panels: list[Any]) -> None:  # noqa: ARG001
    """Tell on the first page how things stand with Upbeat."""
    panels.append(UpbeatPanel())
