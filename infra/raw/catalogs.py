"""The catalogs that a raw log tells: each message of `catalog-published` holds one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from infra.raw.reader import messages_of
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog
from shared.queries.past_log import Logged, json_object


class PublishedCatalog(NamedTuple):
    """A catalog that went in force."""

    at: datetime
    """UTC."""
    version: str
    content: Mapping[str, Any]
    """The document, without the scores and policies that it names."""
    number: int | None = None
    """The number of the publication; None where publications have none."""
    by: str | None = None
    """The person or process that put it in force; None if that was not said."""


def published_catalogs(folder: Path) -> list[PublishedCatalog]:
    """The catalogs that went in force, oldest first. Raises `OSError` if the file cannot be read."""
    return catalogs_in(messages_of(folder, [Topic.CATALOG_PUBLISHED]).messages)


def catalogs_in(messages: Iterable[Logged]) -> list[PublishedCatalog]:
    """The catalogs in messages of `catalog-published`, in the order of the messages."""
    bodies = ((message.published_at, json_object(message.delivery.data)) for message in messages)
    return [
        PublishedCatalog(at, str(body["catalog_version"]), body["catalog"], *_said(body))
        for at, body in bodies
        if "catalog_version" in body and isinstance(body.get("catalog"), dict)
    ]


def newest_readable(published: Sequence[PublishedCatalog]) -> Catalog | None:
    """The last of these that this version can read, with its number, and without scores and policies."""
    for one in reversed(published):
        try:
            return replace(compile_catalog(one.content), number=one.number or 0)
        except InvalidCatalog:
            continue
    return None


def _said(body: Mapping[str, Any]) -> tuple[int | None, str | None]:
    number, by = body.get("number"), body.get("published_by")
    return number if isinstance(number, int) else None, by if isinstance(by, str) else None
