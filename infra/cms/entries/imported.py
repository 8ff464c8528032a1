"""A catalog taken over into the site, entry by entry."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction

from entries.models import KINDS, CatalogEntry
from shared.decisioning.document.entries import SETTINGS, SETTINGS_FIELDS


@transaction.atomic
def take_over(content: Mapping[str, Any], user: Any) -> int:
    """Publish the entries of a valid catalog as `user`, those that are not so already. The number published.

    Entries that the catalog lacks stay as they are.
    """
    return sum(_publish(kind, entry_id, fields, user) for kind, entry_id, fields in _entries(content))


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for kind, model in KINDS.items():
        if model.section == SETTINGS:
            given = {name: content[name] for name in SETTINGS_FIELDS if name in content}
            yield from [(kind, SETTINGS, given)] if given else []
        else:
            yield from (
                (kind, entry_id, fields) for entry_id, fields in (content.get(model.section) or {}).items()
            )


def _publish(kind: str, entry_id: str, fields: Mapping[str, Any], user: Any) -> bool:
    model = KINDS[kind]
    row: CatalogEntry = model.objects.filter(entry_id=entry_id).first() or model(entry_id=entry_id, live=False)
    before = row.fields() if row.live else None
    row.assign(fields)
    if row.fields() == before:
        return False
    if not row.pk:
        row.save()
    row.save_revision(user=user, log_action=True).publish(user=user, skip_permission_checks=True)
    return True
