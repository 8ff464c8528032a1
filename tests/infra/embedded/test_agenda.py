"""Tests of the replay's agenda, which derives the next due time from the latest commits."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.embedded.agenda import Agenda
from shared.adapters.memory_records import MemoryRecords
from shared.adapters.sqlite import SqliteStore
from shared.domain.errors import Conflict
from shared.domain.terms import Terms
from shared.record.codec import Packing
from shared.record.user_record import UserRecord

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def agenda() -> Agenda:
    return Agenda(MemoryRecords(SqliteStore(":memory:"), Terms()))


async def commit(agenda: Agenda, user_id: str, due_at: datetime | None) -> None:
    loaded = await agenda.load(user_id)
    await agenda.commit(Packing(loaded.record._replace(next_due_at=due_at)), loaded.version)


async def test_at_first_nothing_is_due(agenda: Agenda) -> None:
    assert agenda.next_due() is None


async def test_the_earliest_is_due_next_and_all_who_share_its_instant_are_taken(agenda: Agenda) -> None:
    for user_id, due_at in {"late": NOON + HOUR, "anna": NOON, "ben": NOON, "never": None}.items():
        await commit(agenda, user_id, due_at)
    assert agenda.next_due() == NOON
    assert agenda.take(NOON) == {"anna", "ben"}
    assert agenda.next_due() == NOON + HOUR


@pytest.mark.parametrize("due_at", [None, NOON + HOUR])
async def test_what_a_later_commit_put_off_is_not_due(agenda: Agenda, due_at: datetime | None) -> None:
    await commit(agenda, "anna", NOON)
    await commit(agenda, "anna", due_at)
    assert agenda.next_due() == due_at


async def test_what_was_put_off_and_on_again_is_due_once(agenda: Agenda) -> None:
    for due_at in (NOON, NOON + HOUR, NOON):
        await commit(agenda, "anna", due_at)
    assert agenda.take(NOON) == {"anna"}
    assert agenda.next_due() is None


async def test_whoever_was_taken_is_due_until_a_commit_says_otherwise(agenda: Agenda) -> None:
    await commit(agenda, "anna", NOON)
    agenda.take(NOON)
    assert agenda.is_due(NOON, "anna")
    await commit(agenda, "anna", NOON + HOUR)
    assert not agenda.is_due(NOON, "anna")


async def test_a_commit_that_failed_changes_nothing(agenda: Agenda) -> None:
    await commit(agenda, "anna", NOON)
    with pytest.raises(Conflict):
        await agenda.commit(Packing(UserRecord("anna", next_due_at=NOON - HOUR)), None)
    assert agenda.next_due() == NOON
