"""The catalogs that a raw log tells: each message of `catalog-published` holds one."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from infra.raw.reader import messages_of
from shared.contracts.topics import Topic
from shared.queries.past_log import json_object


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
    messages = messages_of(folder, [Topic.CATALOG_PUBLISHED]).messages
    bodies = ((message.published_at, json_object(message.delivery.data)) for message in messages)
    return [
        PublishedCatalog(at, str(body["catalog_version"]), body["catalog"], *_said(body))
        for at, body in bodies
        if "catalog_version" in body and isinstance(body.get("catalog"), dict)
    ]


def _said(body: Mapping[str, Any]) -> tuple[int | None, str | None]:
    number, by = body.get("number"), body.get("published_by")
    return number if isinstance(number, int) else None, by if isinstance(by, str) else None
