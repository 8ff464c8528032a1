"""The scores of a user now, and when they were raised."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from shared.decisioning.catalog import Catalog
from shared.decisioning.situation import Situation
from shared.domain.features import NOT_READ
from shared.domain.terms import Terms
from shared.processing.settle import user_of
from shared.queries.life import Life, LifeEntry, LifeKind
from shared.record.user_record import UserRecord


class CurrentScore(NamedTuple):
    """One of the catalog's scores for a user."""

    name: str
    version: int
    value: float | None
    """From 0 to 1; None if it has none."""
    error: str | None
    """The reason why it has no value."""
    raises: str | None = None
    """The moment that it raises; None if it raises none."""
    at_least: float | None = None
    """The value from which on it raises the moment."""
    rearm_below: float | None = None
    """The value below which it may raise the moment again."""
    is_raised: bool | None = None
    """True if it raised the moment, and has not been below `rearm_below` since. None if that is not known."""
    raised_at: datetime | None = None
    """The instant (UTC) at which the moment was raised last; None if nothing kept tells."""
    raised_with: float | None = None
    """The value with which it was raised then; None if nothing kept tells."""


def current_scores(
    record: UserRecord, catalog: Catalog, now: datetime, terms: Terms, life: Life, *, is_past: bool = False
) -> Iterator[CurrentScore]:
    """The scores that a catalog names, evaluated at `now` (UTC). Features are not read: they count as unknown.

    `is_past`: the record is one of the past, which does not tell which scores were raised.
    """
    account, _ = record.history.at(now, terms)
    situation = Situation(catalog, user_of(record, account, record.triggers, now, features=NOT_READ))
    for name, about in catalog.document.scores.items():
        value, _, version, error = situation.score(name)
        score = CurrentScore(name, version, value, error)
        if about.raises:
            moment = str(about.raises.moment)
            score = score._replace(
                raises=moment,
                at_least=about.raises.at_least,
                rearm_below=about.raises.rearm_below,
                is_raised=None if is_past else name in record.raised,
            )
            if told := _last_raised(life, moment):
                value_then = told.body.get("context", {}).get(f"scores.{name}")
                if value_then is None or value_then >= about.raises.at_least:  # else another score raised it
                    score = score._replace(raised_at=told.at, raised_with=value_then)
        yield score


def _last_raised(life: Life, moment: str) -> LifeEntry | None:
    """The newest decision about a moment that scores raise; else the change that tells the moment."""
    for kind in (LifeKind.DECISION, LifeKind.CHANGE):
        for entry in life.entries[::-1]:
            if entry.kind is kind and moment in _moments(entry):
                return entry
    return None


def _moments(entry: LifeEntry) -> list[str]:
    told = entry.body.get("moments", ())
    return [one if isinstance(one, str) else one["kind"] for one in told]
