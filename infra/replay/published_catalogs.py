"""The catalogs of a replay in its raw log, as `catalog publish` would have told them."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from infra.catalog.load import load_catalog
from infra.raw.folder import RAW, RawLogWriter
from infra.raw.line import Landed, subscription_name
from infra.replay.history_file import read
from infra.replay.journal import PROJECT
from infra.replay.switch import Switch
from shared.contracts.outbound.catalog_published import CatalogPublished
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog

PUBLISHED_BY = "replay"


def land(out: Path, events: Path, catalog: Path | Switch, ended_at: datetime) -> None:
    """Append the catalogs that were in force to the raw log in `out`, whose clock ended at `ended_at` (UTC).

    The first one went in force with the first line of `events`; a history without lines had none.
    """
    begun_at = next((line.delivered_at for line in read(events)), None)
    if begun_at is None:
        return
    with RawLogWriter(out / RAW, [Topic.CATALOG_PUBLISHED]) as log:
        log.append(Topic.CATALOG_PUBLISHED, _landed(catalog, begun_at, ended_at))


def _landed(catalog: Path | Switch, begun_at: datetime, ended_at: datetime) -> Iterator[Landed]:
    if isinstance(catalog, Path):
        yield _publication(load_catalog(catalog), 0, begun_at)
        return
    if begun_at < catalog.at:
        yield _publication(load_catalog(catalog.before), 0, begun_at)
    if ended_at >= catalog.at:
        yield _publication(load_catalog(catalog.after), 1, max(begun_at, catalog.at))


def _publication(catalog: Catalog, number: int, at: datetime) -> Landed:
    message = CatalogPublished(
        catalog_version=catalog.version,
        number=number,
        published_at=at,
        published_by=PUBLISHED_BY,
        catalog=json.loads(catalog.to_json()),
    ).message()
    name = subscription_name(PROJECT, message.topic)
    return Landed(name, message.message_id, at, message.attributes(), message.data)
