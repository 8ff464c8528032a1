"""The newest draft of every entry, and what Upbeat would say if all were published."""

from collections.abc import Iterator

from entries import lint
from entries.models import KINDS, CatalogEntry
from shared.decisioning.document.entries import Entry


def problems(entry: CatalogEntry) -> list[str]:
    """The mistakes in an entry if it and all other drafts were published."""
    own = entry.as_entry()
    all_drafts = {draft.place: draft for draft in newest()} | {own.place: own}
    return lint.problems_by_place(all_drafts.values()).get(own.place, [])


def newest() -> Iterator[Entry]:
    """The newest draft of every entry. The row of one that never was live is its newest draft."""
    for model in KINDS.values():
        for row in model.objects.select_related("latest_revision"):
            has_draft = row.has_unpublished_changes and row.latest_revision_id
            yield (row.get_latest_revision_as_object() if has_draft else row).as_entry()
