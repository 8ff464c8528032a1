"""The rows of a raw log to train a score on, as a pipeline: `upbeat train --rows` reads what it writes."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam

from infra.analytics.training.outcomes import parse_outcome
from infra.analytics.training.rows_file import to_line
from infra.analytics.training.user_rows import TOPICS, Span, When, rows_of
from infra.beam import counts
from infra.beam.catalogs import CatalogText, catalog_of
from infra.beam.landed_messages import logged
from infra.beam.lives import Grouped, by_user, messages_of_log
from infra.beam.sorted_files import KeyedLine, write_sorted
from shared.domain.instants import from_micros, to_micros
from shared.domain.terms import Terms


class Order(NamedTuple):
    """The subject of the rows, as it is sent to the workers."""

    label: str
    when: When
    catalog: CatalogText
    terms: Terms


def add_rows(pipeline: Any, folder: str, order: Order, files: list[str]) -> None:
    """Add the rows of a raw log to a pipeline. Raises `UsageError` if there is no message."""
    messages = messages_of_log(pipeline, folder, TOPICS)
    span = messages | "Times" >> beam.Map(lambda message: message[1][0]) | "Span" >> beam.CombineGlobally(_ends)
    rows = by_user(messages) | "Rows" >> beam.FlatMap(_rows, beam.pvalue.AsSingleton(span), order)
    write_sorted(rows, files)


def _ends(times: Iterable[Any]) -> tuple[int, ...]:
    """The first and the last time (microseconds) among times, and such pairs of them; empty if there is none."""
    flat = [time for one in times for time in (one if isinstance(one, tuple) else (one,))]
    return (min(flat), max(flat)) if flat else ()


def _rows(user: Grouped, span: tuple[int, ...], order: Order) -> Iterator[KeyedLine]:
    first, last = map(from_micros, span)
    made = rows_of(
        *(logged(user[1]), Span(first, last), parse_outcome(order.label), order.when),
        catalog_of(order.catalog),
        order.terms,
    )
    counts.users.inc()
    counts.too_early.inc(made.early)
    counts.checked.inc(made.checked)
    counts.different.inc(made.different)
    for number, row in enumerate(made.rows):
        at, user_id, _ = row.order
        yield user_id, (to_micros(at), user_id.encode(), number), to_line(row, order.label)
