"""The contract of every store of mails, and what operators may have written into Firestore."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest

from shared.adapters.gcp.connection import FIRESTORE
from shared.adapters.gcp.documents import Documents
from shared.adapters.gcp.mail import (
    ADDRESSES,
    WORDS,
    FirestoreAddresses,
    FirestoreOutbox,
    FirestoreWords,
    words_id,
)
from shared.domain.errors import Conflict, Transient
from shared.mail.outbox import Mail, Reader, State
from shared.mail.ports import Address, Outbox, Words
from tests.shared.adapters.wire import Wire, watched
from tests.support.mail import NOW, MemoryOutbox

MAIL = Mail(State.SENT, "ada", NOW, NOW, "https://x", NOW, NOW, NOW)


@pytest.fixture(params=["memory", pytest.param("firestore", marks=pytest.mark.emulator)])
async def outbox(request: pytest.FixtureRequest) -> AsyncIterator[Outbox]:
    if request.param == "memory":
        yield MemoryOutbox()
        return
    host, project = request.getfixturevalue("emulators").firestore_host, request.getfixturevalue("project")
    connection = watched(FIRESTORE, host, Wire())
    yield FirestoreOutbox(Documents(connection, project))
    await connection.close()


@pytest.mark.parametrize(
    "mail", [MAIL, Mail(State.WAITING, "ada", NOW), *(Mail(each, "a", NOW) for each in State)]
)
async def test_a_mail_is_kept_whole(outbox: Outbox, mail: Mail) -> None:
    version = await outbox.save_mail("t", mail, None)
    assert await outbox.load_mail("t") == (mail, version)


async def test_of_two_who_claim_a_mail_one_gets_it(outbox: Outbox) -> None:
    version = await outbox.save_mail("t", MAIL, None)
    with pytest.raises(Conflict):
        await outbox.save_mail("t", MAIL, None)
    await outbox.save_mail("t", MAIL._replace(state=State.REVOKED), version)
    with pytest.raises(Conflict):
        await outbox.save_mail("t", MAIL, version)
    found, _ = await outbox.load_mail("t")
    assert found
    assert found.state is State.REVOKED


@pytest.mark.parametrize("user", ["ada", "..", "__reserved__", "$RCAnonymousID:8f3c"])
async def test_a_reader_is_new_until_saved_and_then_kept_whole(outbox: Outbox, user: str) -> None:
    assert await outbox.load_reader(user) == (Reader(), None)
    reader = Reader((("email", 7), ("newsletter", 9)), NOW)
    await outbox.save_reader(user, reader, None)
    found, version = await outbox.load_reader(user)
    assert found == reader
    with pytest.raises(Conflict):
        await outbox.save_reader(user, reader, None)
    await outbox.save_reader(user, Reader(), version)
    assert (await outbox.load_reader(user)).reader == Reader()


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"email": "ada@example.org", "locale": "de"}, Address("ada@example.org", "de")),
        ({"email": "ada@example.org", "locale": 5, "other": []}, Address("ada@example.org")),
        ({"email": 5}, None),
        ({"email": ""}, None),
        ({}, None),
        (None, None),
    ],
)
async def test_whatever_an_operator_wrote_is_an_address_or_none(documents, firestore, fields, address) -> None:
    if fields is not None:
        await firestore.collection(ADDRESSES).document("ada").set(fields)
    assert await FirestoreAddresses(documents).find("ada") == address


@pytest.mark.emulator
async def test_words_are_found_by_their_reference_in_every_language(documents, firestore) -> None:
    said = {"subject": "s", "text": "t", "url": "https://x"}
    await (
        firestore.collection(WORDS).document("offers%2Fhalf").set({"default": said, "de-AT": said | {"html": "h"}})
    )
    found = await FirestoreWords(documents).find("offers/half")
    assert found == {
        "default": Words("s", "t", "https://x"),
        "de-AT": Words("s", "t", "https://x", "h"),
    }
    assert await FirestoreWords(documents).find("offers/other") is None


@pytest.mark.emulator
@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"text": "t", "url": "https://x"}, "subject"),
        ({"subject": 5, "text": "t", "url": "https://x"}, "subject"),
        ({"subject": "s", "text": "", "url": "https://x"}, "text"),
        ({"subject": "s", "text": "t", "url": "javascript:alert(1)"}, "url"),
        ("text", "subject"),
        (None, "subject"),
    ],
)
async def test_words_that_lack_something_name_it(documents, firestore, said: Any, at: str) -> None:
    await firestore.collection(WORDS).document("offers%2Fhalf").set({"default": said})
    with pytest.raises(Transient, match=rf"^words/offers%2Fhalf\.default\.{at}: expected"):
        await FirestoreWords(documents).find("offers/half")


@pytest.mark.parametrize("ref", ["..", ".", "a/b", "../users/ada", "__x__", "ä", "%2F"])
def test_a_reference_is_no_path(ref: str) -> None:
    assert "/" not in words_id(ref)
    assert words_id(ref) not in {".", ".."}
    assert not words_id(ref).startswith("__")
    assert unquote(words_id(ref)) == ref
    assert words_id("%2F") != words_id("/")
