"""Record cache: it returns exactly the record that unpacking would give."""

from datetime import timedelta

import pytest

from shared.domain.terms import Terms
from shared.record import cache
from shared.record.cache import RecordCache
from shared.record.codec import UnreadableRecord, pack
from shared.record.user_record import UserRecord

ANNA, BEN, CLEO = (UserRecord(name) for name in ("anna", "ben", "cleo"))


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the users whose blobs were unpacked, in order."""
    done: list[str] = []
    real = cache.unpack
    monkeypatch.setattr(cache, "unpack", lambda *given: (record := real(*given), done.append(record.user_id))[0])
    return done


def cache_of(*records: UserRecord, max_records: int = 2) -> RecordCache:
    filled = RecordCache(max_records, Terms())
    for record in records:
        filled.store(pack(record), record)
    return filled


def test_whoever_has_no_document_has_a_new_record() -> None:
    assert cache_of().read("anna", None) == ANNA


def test_what_was_kept_is_not_unpacked_again(unpacked: list[str]) -> None:
    assert cache_of(ANNA).read("anna", pack(ANNA)) is ANNA
    assert unpacked == []


def test_what_was_read_is_not_unpacked_again(unpacked: list[str]) -> None:
    """An app asks about a user several times in a row."""
    reading = RecordCache(2, Terms())
    assert reading.read("anna", pack(ANNA)) == ANNA
    assert reading.read("anna", pack(ANNA)) == ANNA
    assert unpacked == ["anna"]


def test_another_blob_than_was_kept_is_unpacked(unpacked: list[str]) -> None:
    """Another instance has committed since."""
    newer = UserRecord("anna", sequence=1)
    assert cache_of(ANNA).read("anna", pack(newer)) == newer
    assert unpacked == ["anna"]


def test_whoever_was_heard_of_longest_ago_is_forgotten_first(unpacked: list[str]) -> None:
    filled = cache_of(ANNA, BEN, ANNA, CLEO)
    for record in (ANNA, BEN, CLEO):
        assert filled.read(record.user_id, pack(record)) == record
    assert unpacked == ["ben"]


def test_a_document_of_before_is_read_by_the_terms_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "unpack", lambda _, terms: UserRecord(f"grace of {terms.grace.days} days"))
    read = RecordCache(1, Terms(grace=timedelta(days=3))).read("anna", b"of before")
    assert read.user_id == "grace of 3 days"


def test_a_damaged_blob_is_not_believed() -> None:
    with pytest.raises(UnreadableRecord):
        cache_of(ANNA).read("anna", b"damaged")
