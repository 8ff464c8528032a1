"""Contract of a rebuild's target, checked for each: documents are written on a condition, and listed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from infra.rebuild.target import PAGE, Target, firestore_target, sqlite_target
from infra.remote.firestore import emulator_client
from shared.domain.errors import Conflict
from shared.ports import Document

USERS = [".", "A", "__x__", "a", "anna", "zoe"]
"""Users in the order of their documents; Firestore reserves some of the names."""


@pytest.fixture(params=["sqlite", pytest.param("firestore", marks=pytest.mark.emulator)])
async def target(request, project, tmp_path) -> AsyncIterator[Target]:
    if request.param == "sqlite":
        async with sqlite_target(tmp_path / "new.sqlite") as opened:
            yield opened
        return
    endpoints = request.getfixturevalue("emulators").endpoints(project)
    async with firestore_target(emulator_client(endpoints), endpoints) as opened:
        yield opened


def document(user_id: str, blob: bytes = b"one") -> Document:
    return Document(user_id, blob, None, {}, ())


async def test_a_document_is_created_once_and_replaced_only_as_it_was_loaded(target: Target) -> None:
    with target.batch():
        await target.documents.commit(document("ada"), None)
    with pytest.raises(Conflict):
        await target.documents.commit(document("ada", b"two"), None)
    loaded = await target.documents.load("ada")
    await target.documents.commit(document("ada", b"three"), loaded.version)
    with pytest.raises(Conflict):
        await target.documents.commit(document("ada", b"four"), loaded.version)
    assert (await target.documents.load("ada")).blob == b"three"


async def test_every_user_with_a_document_is_listed(target: Target, monkeypatch) -> None:
    monkeypatch.setattr("infra.rebuild.target.PAGE", 2)
    assert PAGE > 2
    assert await asyncio.to_thread(lambda: [*target.users()]) == []
    for user_id in USERS:
        await target.documents.commit(document(user_id), None)
    assert await asyncio.to_thread(lambda: [*target.users()]) == USERS


async def test_many_are_written_at_once(target: Target) -> None:
    with target.batch():
        await asyncio.gather(*(target.documents.commit(document(user_id), None) for user_id in USERS))
    assert [(await target.documents.load(user_id)).blob for user_id in USERS] == [b"one"] * len(USERS)
