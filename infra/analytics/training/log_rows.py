"""The dataset of a raw log: the rows of all its users."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infra.analytics.training.dataset import Dataset, dataset_of_facts
from infra.analytics.training.outcomes import Outcome, parse_outcome
from infra.analytics.training.replayed import feature_names
from infra.analytics.training.rows_file import read_rows
from infra.analytics.training.user_rows import TOPICS, LabelledRow, Span, When, rows_of
from infra.errors import UsageError
from infra.raw.reader import messages_of
from infra.replay.part import collect_garbage_rarely
from shared.contracts.inbound.envelope import EVENTS
from shared.decisioning.catalog import Catalog
from shared.domain.terms import Terms


class LogRows(NamedTuple):
    """The rows of a raw log."""

    dataset: Dataset
    checked: int
    """See `UserRows.checked`."""
    different: int
    """See `UserRows.different`."""


def rows_of_log(folder: Path, outcome: Outcome, when: When, catalog: Catalog, terms: Terms) -> LogRows:
    """The rows of the raw log in a folder. Raises `UsageError` if it holds none, or too few of a label."""
    found = messages_of(folder, TOPICS)
    if not any(message.topic in EVENTS for message in found.messages):
        raise UsageError(f"{folder}: expected a raw log (payment.jsonl and so on), found no event in it")
    collect_garbage_rarely()
    span = Span(found.messages[0].published_at, found.messages[-1].published_at)
    of_all = rows_of(found.messages, span, outcome, when, catalog, terms)
    dataset, early = _dataset(of_all.rows, outcome, catalog, folder, when), of_all.early
    notes = [f"{early} rows were left out, because their {outcome.within.days} days are not over"] if early else []
    notes += [f"{len(found.unreadable)} lines of the log could not be read"] if found.unreadable else []
    noted = dataset._replace(notes=(*dataset.notes, *notes))
    return LogRows(noted, of_all.checked, of_all.different)


def rows_of_file(file: Path, label: str, when: When, catalog: Catalog) -> LogRows:
    """The rows that a pipeline made of a raw log. Raises `UsageError` if they are no such rows, or too few."""
    rows = read_rows(file, label, feature_names(catalog))
    return LogRows(_dataset(rows, parse_outcome(label), catalog, file, when), 0, 0)


def _dataset(rows: Sequence[LabelledRow], outcome: Outcome, catalog: Catalog, folder: Path, when: When) -> Dataset:
    if not rows:
        raise UsageError(
            f"{folder}: expected users at these instants, with {outcome.within.days} days after, found none"
        )
    facts = {name: [one.facts[name] for one, _ in rows] for name in feature_names(catalog)}
    dataset = dataset_of_facts(
        facts,
        [label for _, label in rows],
        [one.user_id for one, _ in rows],
        [one.at.timestamp() for one, _ in rows],
    )
    if outcome.of_offer:
        at = "offers, when they were decided"
    elif when.moments:
        at = f"users at the decisions about {', '.join(when.moments)}"
    else:
        at = f"users every {when.every.days} days"
    at += " if they have access" if when.only_entitled else ""
    return dataset._replace(
        about=f"A raw log of Upbeat, replayed: {at}, with the facts that a decision would have known then.",
        label_text=outcome.text,
        horizon=outcome.within.total_seconds(),
        is_replayed=True,
    )
