"""Compares a document with the one that was made again from the raw log."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from infra.rebuild.facts import facts
from infra.rebuild.work import Made
from shared.domain.history import History
from shared.domain.instants import BEGINNING_OF_TIME
from shared.domain.ring import EVENT_ID, SOURCE, TOPIC, Row, place_of
from shared.domain.terms import Terms
from shared.ports import Document, Stored
from shared.record.codec import UnreadableRecord, unpack
from shared.record.damage import damage
from shared.record.user_record import UserRecord, tombstone

OF_HISTORY = ("subscriptions.", "ledger.", "trial_used", "next_due_at")
"""The beginnings of the paths of facts that follow from the history."""


class Verdict(StrEnum):
    """The relation of a document to what the raw log tells of its user."""

    EQUAL = "equal"
    """They say the same."""
    LATE = "late"
    """They differ by the ring's bound alone: an event came so late that the order of arrival matters."""
    DIFFERING = "differing"
    NO_DOCUMENT = "no_document"
    """The log tells of the user, and there is no document."""
    NO_EVENTS = "no_events"
    """There is a document, and the log tells nothing of the user."""
    UNREADABLE = "unreadable"
    """This version cannot read the document."""


FINE = frozenset({Verdict.EQUAL, Verdict.LATE})
"""The verdicts that need nobody's attention."""


class Compared(NamedTuple):
    """The result for one user."""

    user_id: str
    verdict: Verdict
    fields: Mapping[str, tuple[Any, Any]] = {}
    """The facts that differ by their paths, each as the document and as the log tells it; null for none."""
    note: str = ""
    """The mistake in an unreadable document; else what the log is known to lack."""


def compared(stored: Stored, made: Made, terms: Terms) -> Compared:
    """Compare a user's document, if there is one, with what was made from the log.

    Of an erased user the log may tell nothing any more: then a tombstone is as it should be.
    """
    user_id, gaps = made.user_id, "; ".join(made.gaps)
    if stored.version is None:
        return Compared(user_id, Verdict.NO_DOCUMENT if made.document else Verdict.EQUAL, note=gaps)
    try:
        living = _record_in(user_id, stored, terms)
        damaged = damage(living)
    except UnreadableRecord as error:
        damaged = str(error)
    if damaged:
        return Compared(user_id, Verdict.UNREADABLE, note=damaged)
    if made.document is None:
        return Compared(user_id, Verdict.EQUAL if living.is_tombstone else Verdict.NO_EVENTS)
    again = _record_in(user_id, made.document, terms)
    fields = dict(_differences(living, again, terms))
    verdict = _verdict(fields, living, again, terms, is_out_of_order=made.is_out_of_order)
    return Compared(user_id, verdict, fields, gaps)


def _record_in(user_id: str, stored: Stored | Document, terms: Terms) -> UserRecord:
    """The record in a document. Raises `UnreadableRecord`."""
    if stored.blob is not None:
        return unpack(stored.blob, terms)
    if stored.erased_at is None:
        raise UnreadableRecord("expected a record or the time of an erasure, found neither")
    return tombstone(user_id, stored.erased_at)


def _differences(living: UserRecord, made: UserRecord, terms: Terms) -> Iterator[tuple[str, tuple[Any, Any]]]:
    at = max(filter(None, (living.as_of, made.as_of)), default=BEGINNING_OF_TIME)
    there, here = facts(living, at, terms), facts(made, at, terms)
    for path in sorted(there.keys() | here.keys()):
        if there.get(path) != here.get(path):
            yield path, (there.get(path), here.get(path))
    yield from _only_there(living, made)


def _only_there(living: UserRecord, made: UserRecord) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Things that the document alone holds, of those of which the log may tell too much but never too little."""
    for at, cause in living.fired.causes:
        floor = made.fired.floor
        if (at, cause) not in made.fired.causes and not (floor and at <= floor):
            yield f"decided.{cause}", (at, None)
    for score in sorted({*living.raised} - {*made.raised}):
        yield f"raised.{score}", (True, None)
    answers = {one.cause: one.trigger_id for one in living.requests}
    for request in made.requests:
        if request.cause in answers and answers[request.cause] != request.trigger_id:
            yield f"requests.{request.cause}", (answers[request.cause], request.trigger_id)
    mark = max(filter(None, (living.history.mark, made.history.mark)), default=None)
    kept, folded = (_recent(record.history, mark) for record in (living, made))
    for event in sorted(kept ^ folded):
        yield f"events.{event}", (event in kept or None, event in folded or None)


def _recent(history: History, mark: Row | None) -> frozenset[str]:
    """The events of a ring after a mark, by topic, source and id."""
    rows = (row for row in history.ring if mark is None or place_of(row) > mark)
    return frozenset("/".join((row[TOPIC], row[SOURCE], row[EVENT_ID])) for row in rows)


def _verdict(
    fields: Mapping[str, Any], living: UserRecord, made: UserRecord, terms: Terms, *, is_out_of_order: bool
) -> Verdict:
    if not fields:
        return Verdict.EQUAL
    are_bounded = living.history.mark and made.history.mark
    if are_bounded and is_out_of_order and all(path.startswith(OF_HISTORY) for path in fields):
        whole = living.history.shrink(0, terms, living.user_id)
        if whole.base == living.history.head:  # it is not damaged: its events do lead to what it says
            return Verdict.LATE
    return Verdict.DIFFERING
