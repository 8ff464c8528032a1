"""The documents of a raw log's users as a pipeline: `upbeat rebuild` writes into a store what it makes.

The workers need nothing but the log: they reach no store, and nothing is half done when one of them fails.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam

from infra.beam import counts
from infra.beam.landed_messages import blocks_of_log, logged, with_users
from infra.beam.lives import Grouped, by_user, messages_of_log
from infra.beam.sorted_files import KeyedLine, write_sorted
from infra.errors import UsageError
from infra.raw.by_user import Wanted
from infra.raw.catalogs import catalogs_in, newest_readable
from infra.rebuild.made_file import to_line
from infra.rebuild.work import Deployment, made_of
from shared.contracts.topics import Topic
from shared.domain.instants import from_micros


class Order(NamedTuple):
    """The source of the documents, as it is sent to the workers."""

    deployment: Deployment
    wanted: Wanted


def newest_catalog(folder: str) -> tuple[str, int]:
    """The newest catalog that a raw log tells, as JSON, and its number. Raises `UsageError` if there is none."""
    blocks = blocks_of_log(folder, [Topic.CATALOG_PUBLISHED])
    messages = logged(message for block in blocks for _, message in with_users(block))
    catalog = newest_readable(catalogs_in(messages))
    if catalog is None:
        raise UsageError("--catalog: expected a catalog, since the raw log tells none that this version can read")
    return catalog.to_json(), catalog.number


def add_documents(pipeline: Any, folder: str, order: Order, files: list[str]) -> None:
    """Add the documents of a raw log to a pipeline. Raises `UsageError` if there is no message."""
    messages = messages_of_log(pipeline, folder, [*Topic])
    wanted = messages | "Wanted" >> beam.Filter(_is_wanted, order.wanted)
    write_sorted(by_user(wanted) | "Make" >> beam.FlatMap(_document, order.deployment), files)


def _is_wanted(message: tuple[bytes, Any], wanted: Wanted) -> bool:
    return wanted.includes(message[0].decode(errors="surrogatepass"), from_micros(message[1][0]))


def _document(user: Grouped, deployment: Deployment) -> Iterator[KeyedLine]:
    user_id, messages = user[0].decode(), logged(user[1])
    counts.users.inc()
    made = made_of(user_id, messages, deployment)
    yield user_id, (0, user[0], 0), to_line(made, len(messages))
