"""The stored format: documents that are kept as files are read as the same records by every later version.

If one says something else or cannot be read, this version is incompatible: mend it, or give the format a new
number and migrate. A field or member that no document has yet demands one:
`python -m tests.support.stored_documents`.
"""

from base64 import b64decode
from datetime import timedelta
from enum import Enum
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.domain import instants
from shared.domain.account import Account
from shared.domain.events import FeedbackKind, PaymentReported, Profile, SignalSeen
from shared.domain.ring import RANKS
from shared.domain.tallies import ISSUED, SCOPES, WITHHELD, Count, Tally
from shared.record.codec import FORMAT, pack, unpack
from shared.record.damage import damage
from tests.support import stored_documents
from tests.support.stored_documents import Kept, documents, keep, kept
from tests.support.stored_views import NO_DEFAULT, parts, row_types, view

FOLDER = Path(__file__).parent
KEPT = kept()
PARTS = [part for document in KEPT for part in parts(unpack(document.blob))]
TYPES = dict.fromkeys(row_types())
ROWS = [kind for kind in TYPES if not issubclass(kind, Enum)]
ENUMERATIONS = [kind for kind in TYPES if issubclass(kind, Enum)]
NOT_STORED = {
    (PaymentReported, "failure_reason"): "it is for the decision at its arrival",
    (SignalSeen, "strength"): "signals that have one are kept outside the ring",
}
each = pytest.mark.parametrize("document", KEPT, ids=lambda document: document.name)


def former(number: int) -> list[Any]:
    """The documents of a former format, each with its name and its blob."""
    records = orjson.loads((FOLDER / f"format_{number}.json").read_bytes())
    blobs = {1: ("ring", "base"), 2: ("blob",)}[number]
    return [
        pytest.param(f"format_{number}/{name}-{blob}.json", b64decode(told[blob]), id=f"{name}-{blob}")
        for name, told in records.items()
        for blob in blobs
    ]


@each
def test_a_document_that_was_kept_says_what_it_said(document: Kept) -> None:
    assert view(unpack(document.blob)) == document.view


@pytest.mark.parametrize(("name", "blob"), [*former(1), *former(2)])
def test_a_document_of_a_former_format_says_what_it_said(name: str, blob: bytes) -> None:
    """Of format 1 the ring is folded again, so that its subscriptions are those of today's rules."""
    record = unpack(blob)
    if name.endswith("-ring.json"):
        record = record._replace(history=record.history._replace(base=Account(), head=Account()))
    assert view(record) == orjson.loads((stored_documents.FOLDER / name).read_bytes())


@each
def test_a_document_that_was_kept_is_written_back_as_the_same(document: Kept) -> None:
    record = unpack(document.blob)
    assert unpack(pack(record)) == record
    assert view(unpack(pack(record))) == document.view


@each
def test_a_document_that_was_kept_is_in_good_order(document: Kept) -> None:
    assert damage(unpack(document.blob)) is None


def test_there_are_documents_of_the_present_format() -> None:
    assert any(document.name.startswith(f"format_{FORMAT}/") for document in KEPT)


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_every_field_of_every_row_is_in_a_document_that_is_kept(kind: Any) -> None:
    rows = [part for part in PARTS if type(part) is kind]
    defaults = kind._field_defaults
    missing = [
        name
        for place, name in enumerate(kind._fields)
        if (kind, name) not in NOT_STORED and all(row[place] == defaults.get(name, NO_DEFAULT) for row in rows)
    ]
    assert not missing, "expected each of these in a kept document: run python -m tests.support.stored_documents"


@pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
def test_every_member_of_every_enumeration_is_in_a_document_that_is_kept(kind: type[Enum]) -> None:
    """So that a stored value that changes makes a kept document unreadable."""
    assert {part for part in PARTS if type(part) is kind} == set(kind)


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_no_two_fields_of_a_row_can_change_places_unseen(kind: Any) -> None:
    """Some kept row has different values in them, so that it would say something else."""
    rows = [part for part in PARTS if type(part) is kind]
    stored = [place for place, name in enumerate(kind._fields) if (kind, name) not in NOT_STORED]
    alike = [
        (kind._fields[one], kind._fields[other])
        for one, other in combinations(stored, 2)
        if all(row[one] == row[other] for row in rows)
    ]
    assert not alike


def test_an_epoch_that_moved_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instants, "EPOCH", instants.EPOCH + timedelta(microseconds=1))
    assert [document.name for document in KEPT if view(unpack(document.blob)) != document.view] == [
        document.name for document in KEPT if document.view.get("history", {}).get("ring")
    ]


def test_the_ranks_of_all_kinds_are_in_the_places_of_a_kept_ring() -> None:
    """A document holds the place of the newest event in its base, so the ranks are stored too."""
    ranks = {event["place"][1] for document in KEPT for event in document.view.get("history", {}).get("ring", [])}
    assert ranks == set(range(len(RANKS) + 1))


def test_the_names_that_documents_hold_as_text_are_those_of_today() -> None:
    counted = {part.event for part in PARTS if isinstance(part, Count)}
    scopes = {part.scope for part in PARTS if isinstance(part, Tally)}
    fields = {fact["field"] for document in KEPT for fact in document.view.get("profile", [])}
    assert counted == {ISSUED, WITHHELD, *FeedbackKind}
    assert scopes == set(SCOPES)
    assert fields == set(Profile._fields)


def test_today_s_documents_are_added_and_none_is_overwritten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stored_documents, "FOLDER", tmp_path)
    first, second = keep(), keep()
    assert (first.name, second.name) == ("0001", "0002")
    assert [document.blob for document in kept()] == [pack(record) for _, record in sorted(documents())] * 2
