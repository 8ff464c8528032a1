"""Recall: what it remembers is what unpacking would give, and nothing else is believed."""

import pytest

from shared.record import cache
from shared.record.cache import RecordCache
from shared.record.codec import UnreadableRecord, pack
from shared.record.user_record import UserRecord

ANNA, BEN, CLEO = (UserRecord(name) for name in ("anna", "ben", "cleo"))


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A log of whose blobs were unpacked."""
    done: list[str] = []
    real = cache.unpack
    monkeypatch.setattr(cache, "unpack", lambda blob: (record := real(blob), done.append(record.user_id))[0])
    return done


def kept(*records: UserRecord, most: int = 2) -> RecordCache:
    remembering = RecordCache(most)
    for record in records:
        remembering.keep(pack(record), record)
    return remembering


def test_whoever_has_no_document_has_a_new_record() -> None:
    assert kept().record("anna", None) == ANNA


def test_what_was_kept_is_not_unpacked_again(unpacked: list[str]) -> None:
    assert kept(ANNA).record("anna", pack(ANNA)) is ANNA
    assert unpacked == []


def test_another_blob_than_was_kept_is_unpacked(unpacked: list[str]) -> None:
    """Somebody else has committed since."""
    newer = UserRecord("anna", sequence=1)
    assert kept(ANNA).record("anna", pack(newer)) == newer
    assert unpacked == ["anna"]


def test_whoever_was_heard_of_longest_ago_is_forgotten_first(unpacked: list[str]) -> None:
    remembering = kept(ANNA, BEN, ANNA, CLEO)
    for record in (ANNA, BEN, CLEO):
        assert remembering.record(record.user_id, pack(record)) == record
    assert unpacked == ["ben"]


def test_a_damaged_blob_is_not_believed() -> None:
    with pytest.raises(UnreadableRecord):
        kept(ANNA).record("anna", b"damaged")
