"""The published entries as Upbeat reads them, page by page."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from wagtail.models import TaskState

from entries.models import KINDS, CatalogEntry, FourEyesTask, Webhook


def state() -> int:
    """A number that grows whenever an entry is published or unpublished."""
    return Webhook.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def page(start: int, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """The published entries from position `start` on, at most `limit`, and whether more follow."""
    wanted, skipped = limit + 1, start
    rows: list[CatalogEntry] = []
    for model in KINDS.values():
        live = model.objects.filter(live=True).select_related("live_revision__user").order_by("entry_id")
        found = live[skipped : skipped + wanted - len(rows)]
        rows += found
        skipped = max(0, skipped - live.count())
        if len(rows) == wanted:
            break
    approvers = _approvers(row.live_revision_id for row in rows)
    return [_shown(row, approvers.get(row.live_revision_id)) for row in rows[:limit]], len(rows) > limit


def place(entry: CatalogEntry) -> str:
    """The address at which an entry is edited."""
    return settings.WAGTAILADMIN_BASE_URL + reverse(entry.snippet_viewset.get_url_name("edit"), args=[entry.pk])


def _shown(entry: CatalogEntry, approved_by: str | None) -> dict[str, Any]:
    kind, at = entry.kind(), entry.last_published_at
    author = entry.live_revision.user if entry.live_revision else None
    return {
        "type": kind,
        "id": entry.entry_id,
        "key": f"{kind}/{entry.entry_id}",
        "fields": entry.fields(),
        "author": author.get_username() if author else None,
        "approved_by": approved_by,
        "published_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None,
        "url": place(entry),
    }


def _approvers(revisions: Iterable[int | None]) -> dict[int, str]:
    """The approver of each revision that went through four eyes, by the revision's id."""
    task = ContentType.objects.get_for_model(FourEyesTask)
    states: Sequence[TaskState] = (
        TaskState.objects.filter(revision_id__in=[*filter(None, revisions)], task__content_type=task)
        .filter(status=TaskState.STATUS_APPROVED)
        .exclude(finished_by=None)
        .select_related("finished_by", "revision")
        .order_by("finished_at", "pk")
    )
    return {
        state.revision_id: state.finished_by.get_username()
        for state in states
        if state.finished_by_id != state.revision.user_id
    }
