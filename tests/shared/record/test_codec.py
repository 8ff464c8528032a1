"""Codec: every possible record survives a round trip, and no other blob is read as a record."""

import zlib
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from shared.domain.account import Account
from shared.domain.history import History
from shared.domain.moments import Deferred, MomentKind, caused_by_time
from shared.domain.subscription import Status, Subscription
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.record.bounds import MAX_BLOB, fit
from shared.record.codec import (
    COMPRESSION_LEVEL,
    FORMAT,
    FORMER,
    MAX_INFLATED,
    MAX_OVERHEAD,
    Packing,
    UnreadableRecord,
    pack,
    unpack,
)
from shared.record.user_record import UserRecord
from tests.support.catalogs import CATALOGS
from tests.support.histories import LIFETIME, TERMS, USER, histories, instants
from tests.support.lives import lives


@st.composite
def records(draw: st.DrawFn) -> UserRecord:
    """Records as processing produces them: from any history, at any instants, under any catalog."""
    policy = Rules(CATALOGS[draw(st.sampled_from(sorted(CATALOGS)))], TERMS)
    record, now = UserRecord(USER), draw(instants)
    for event in draw(histories(behaving=True) | lives()):
        now = max(now, event.occurred_at)
        record = process(record, event, now, policy).record
    return record


@given(records())
def test_a_record_comes_back_as_it_was(record: UserRecord) -> None:
    assert unpack(pack(record)) == record


@given(records())
def test_a_record_that_came_back_is_packed_the_same_again(record: UserRecord) -> None:
    assert pack(unpack(pack(record))) == pack(record)


@given(records(), st.integers(200, 3000))
def test_a_record_that_was_made_to_fit_comes_back_too(record: UserRecord, limit: int) -> None:
    packing, _ = fit(record, TERMS, limit)
    assert unpack(packing.blob) == packing.record


@given(records(), st.data())
def test_a_blob_with_a_damaged_byte_is_unreadable_or_has_its_record_unharmed(
    record: UserRecord, data: st.DataObject
) -> None:
    """Some bits between the blocks of deflate mean nothing; all others change the checksum."""
    blob = bytearray(pack(record))
    place = data.draw(st.integers(2, len(blob) - 1))
    blob[place] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack(bytes(blob))
    except UnreadableRecord:
        return
    assert found == record


@given(records(), st.data())
def test_a_blob_that_was_cut_off_is_unreadable(record: UserRecord, data: st.DataObject) -> None:
    blob = pack(record)
    with pytest.raises(UnreadableRecord):
        unpack(blob[: data.draw(st.integers(0, len(blob) - 1))])


@given(st.binary())
def test_any_other_bytes_are_unreadable(blob: bytes) -> None:
    for other in (blob, zlib.compress(blob)):
        with pytest.raises(UnreadableRecord):
            unpack(other)


def test_a_blob_that_inflates_to_more_than_a_record_is_unreadable() -> None:
    """JSON that is right may be as long as the bound, and no longer: spaces at its end say nothing."""
    text = Packing(UserRecord(USER)).text
    assert unpack(zlib.compress(text.ljust(MAX_INFLATED))) == UserRecord(USER)
    blob = zlib.compress(text.ljust(MAX_INFLATED + 1))
    assert len(blob) < 20_000
    with pytest.raises(UnreadableRecord):
        unpack(blob)


def test_instants_are_written_as_short_as_they_can_be() -> None:
    text = Packing(UserRecord(USER, next_due_at=LIFETIME)).text
    assert LIFETIME.isoformat().replace("+00:00", "Z").encode() in text


def inflated(blob: bytes) -> bytes:
    """The JSON text in a blob."""
    return zlib.decompress(blob)


def written(row: object) -> bytes:
    """A blob as another version might have written it."""
    return zlib.compress(orjson.dumps(row, tuple))


def of_this_format(*columns: object) -> list[object]:
    """A record with these columns."""
    return [FORMAT, columns]


def with_subscription(*columns: object) -> list[object]:
    """A record whose only subscription has these columns."""
    return of_this_format("u", [[], None, [], [[columns]]])


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"user_id": "u"},
        [],
        "u",
        [FORMAT],
        [FORMAT, "u"],
        [FORMAT + 1, ["u"]],
        [FORMER],
        [FORMER, "u"],
        [FORMER, ["u", *[[]] * 9, [[["c", "o", "p", "email", "issued", 1]]]]],
        [*of_this_format("u"), "an element more"],
        of_this_format("u", {}),
        of_this_format("u", [[], None, [1]]),
        of_this_format("u", [[], None, "ring"]),
        of_this_format("u", [[], None, [], [], "a field more"]),
        of_this_format(*orjson.loads(zlib.decompress(pack(UserRecord("u"))))[1], "a field more"),
        with_subscription(),
        with_subscription("main", "delighted"),
        with_subscription("main", "active", "yesterday"),
        with_subscription(*Subscription("main"), "a field more"),
    ],
)
def test_what_a_newer_version_may_have_written_is_unreadable(row: object) -> None:
    """An older instance would drop the fields that it does not know when it writes."""
    with pytest.raises(UnreadableRecord):
        unpack(written(row))


def test_a_record_of_a_format_to_come_names_its_format() -> None:
    with pytest.raises(UnreadableRecord, match=f"a newer version wrote the record: format {FORMAT + 1}"):
        unpack(written([FORMAT + 1, ["u"]]))


def test_what_is_unreadable_is_told_without_its_content() -> None:
    with pytest.raises(UnreadableRecord, match=r"^cannot read a record from 7 bytes: \w*[eE]rror$"):
        unpack(b"damaged")
    blob = zlib.compress(b"[]")
    with pytest.raises(UnreadableRecord, match=rf"^cannot read a record from {len(blob)} bytes: ValueError$"):
        unpack(blob)


def test_a_new_record_is_within_the_length_of_its_blob_and_no_less() -> None:
    packing = Packing(UserRecord("u"))
    assert packing.is_within(len(packing.blob))
    assert not packing.is_within(len(packing.blob) - 1)


def test_a_new_record_is_tiny() -> None:
    assert unpack(pack(UserRecord("u"))) == UserRecord("u")
    assert len(pack(UserRecord("u"))) < 80


def test_the_last_instant_there_is_comes_back() -> None:
    lifetime = Account((Subscription("main", since=LIFETIME),))
    history = History(base=lifetime, head=lifetime)
    record = UserRecord("u", history=history, next_due_at=LIFETIME)
    assert unpack(pack(record)) == record


def test_a_moment_that_was_deferred_when_offsets_were_days_is_read_and_written_anew() -> None:
    at, until = datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 8, 8, tzinfo=UTC)
    moment = ["lapsed", "main", "2026-01-08T00:00:00Z", "lapsed/main/7/grant", 7, "grant"]
    columns = [*orjson.loads(zlib.decompress(pack(UserRecord("u"))))[1]]
    columns[UserRecord._fields.index("deferred")] = [[moment, "win_back", "2026-01-08T08:00:00Z"]]
    record = unpack(written([FORMAT, columns]))
    week = caused_by_time(MomentKind.LAPSED, "main", at, "grant", offset=timedelta(days=7))
    assert record.deferred == (Deferred(week, "win_back", until),)
    assert unpack(pack(record)) == record


def test_a_field_that_was_added_since_has_its_default() -> None:
    record = unpack(written(with_subscription("main", "active")))
    assert record.history.head.best == Subscription("main", Status.ACTIVE)


@given(st.binary(max_size=2 * MAX_BLOB) | st.text().map(str.encode), st.integers(0, MAX_BLOB))
def test_a_blob_is_hardly_longer_than_its_text_whatever_it_holds(text: bytes, repeated: int) -> None:
    whole = (text * 50 + bytes(repeated))[: 5 * MAX_BLOB] + text
    assert len(isal_zlib.compress(whole, COMPRESSION_LEVEL)) <= len(whole) + MAX_OVERHEAD


@given(records(), st.integers(-70, 70))
def test_a_record_is_within_a_limit_if_its_blob_is(record: UserRecord, beside: int) -> None:
    for limit in (len(pack(record)) + beside, len(Packing(record).text) + beside):
        assert Packing(record).is_within(limit) is (len(pack(record)) <= limit)


def test_the_blob_of_a_short_record_is_not_needed_to_tell() -> None:
    packing = Packing(UserRecord("u"))
    assert packing.is_within(MAX_BLOB)
    assert "blob" not in vars(packing)
    assert packing.blob == pack(UserRecord("u"))
