"""The life of one user, from messages alone: what happens when, and what comes of what cannot be processed."""

import logging
import pickle
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.load import DEFAULT_CATALOG, load_catalog
from infra.embedded.push import Push
from infra.errors import InfraError
from infra.replay.life import Arriving, Refusal, Step, due_event, steps_of
from infra.replay.world import CatalogHistory, World
from shared.application.shard_sweep import due_message
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.contracts.inbound.fields import EARLIEST, ID_PATTERN, MAX_ID
from shared.decisioning.compile import compile_catalog
from shared.domain.instants import END_OF_TIME, from_micros, to_micros
from shared.domain.terms import Terms
from shared.ports import DueUser
from shared.record.user_record import UserRecord
from tests.support.replays import START, payment, signal, trial

WORLD = World(CatalogHistory(load_catalog(DEFAULT_CATALOG)), Terms())
DAY = timedelta(days=1)


def arriving(line: dict[str, Any], number: int = 1, at: datetime | None = None, **changes: Any) -> Arriving:
    occurred_at = datetime.fromisoformat(line["data"]["occurred_at"])
    data, at = orjson.dumps(line["data"]), at or occurred_at
    return Arriving(number, at, Push(line["topic"], data, {}, at, str(number)))._replace(**changes)


def life(*messages: Arriving, until: datetime | None = START) -> list[Step]:
    return [*steps_of(UserRecord("u"), messages, WORLD, until)]


def outcomes(*messages: Arriving, until: datetime | None = START) -> list[str]:
    return [step.outcome for step in life(*messages, until=until)]


def test_what_falls_due_happens_at_its_time_between_the_messages_and_up_to_the_end():
    messages = arriving(trial()), arriving(signal("u", 12, "cancel_page_viewed"), 2)
    lived = life(*messages, until=START + 13 * DAY)
    days = [((step.at - START) / DAY, step.arriving and step.arriving.number) for step in lived]
    assert days == [(0, 1), (11, None), (12, 2), (13, None)]
    assert all(step.is_committed for step in lived)
    assert len(life(*messages, until=START + 13 * DAY - timedelta(microseconds=1))) == 3


def test_a_message_comes_before_what_is_due_at_the_same_instant():
    lived = life(arriving(trial()), arriving(signal("u", 11, "auto_renew_off"), 2))
    assert [step.arriving and step.arriving.number for step in lived] == [1, 2]


def test_without_an_end_time_passes_only_where_the_messages_say_so():
    lived = life(arriving(trial()), arriving(payment("u", 40), 2), until=None)
    assert [step.arriving is None for step in lived] == [False, False]


@given(
    st.integers(to_micros(EARLIEST), to_micros(END_OF_TIME)).map(from_micros),
    st.from_regex(ID_PATTERN, fullmatch=True),
)
def test_the_clocks_event_is_the_one_in_its_message(due_at, user_id):
    user = DueUser(due_at, user_id[:MAX_ID])
    assert due_event(user) == parse_event("lifecycle-due", Delivery(due_message(user).data, {}))


def test_a_life_goes_on_from_a_record_where_another_ended():
    first, second, end = arriving(trial()), arriving(payment("u", 14), 2), START + 60 * DAY
    begun = life(first, until=START + 12 * DAY)
    rest = [*steps_of(begun[-1].record, [second], WORLD, end)]
    assert [*begun, *rest] == life(first, second, until=end)


def test_each_message_has_its_outcome():
    twice, other = arriving(payment("u", 0)), arriving(payment("u", 0, amount=5))
    assert outcomes(twice, twice, other) == ["applied", "duplicate", "dead_lettered"]
    assert outcomes(arriving(payment("u", 0, environment="sandbox"))) == ["ignored"]
    assert outcomes(arriving(payment("u", 1), at=START)) == ["dead_lettered"]


def test_a_message_that_cannot_be_published_is_a_dead_letter_with_its_bytes():
    refused = arriving(trial(), refused=Refusal("invalid", "publish_time: expected a time, found something else"))
    (step,) = life(refused)
    assert (step.is_committed, step.event, step.messages[0].body["reason"]) == (False, None, "invalid")


def test_what_fails_for_another_reason_is_a_dead_letter_too_and_is_logged(monkeypatch, caplog):
    def broken(*_given):
        raise KeyError("a bug")

    monkeypatch.setattr("infra.replay.life.process", broken)
    with caplog.at_level(logging.ERROR):
        (step,) = life(arriving(trial()))
    assert [letter.body["reason"] for letter in step.messages] == ["undelivered"]
    assert "KeyError" in caplog.text
    assert step.record == UserRecord("u")


def test_a_message_that_asks_for_a_newer_catalog_than_there_is_fails():
    due = {"event_id": "d", "user_id": "u", "occurred_at": START.isoformat(), "catalog_number": 3}
    asking = arriving({"topic": "lifecycle-due", "data": due})
    assert outcomes(asking, until=None) == ["dead_lettered"]


def test_a_message_of_another_user_is_a_mistake_of_the_caller():
    with pytest.raises(InfraError, match="one user"):
        life(arriving(trial("somebody-else")))


def test_a_life_of_no_messages_has_no_steps():
    assert life() == []


def test_each_instant_has_the_catalog_in_force():
    first, second, third = (replace(compile_catalog({}), number=number) for number in range(3))
    history = CatalogHistory(first, [(START, second), (START + DAY, third)])
    instants = (START - DAY, START, START + DAY / 2, START + DAY)
    assert [history.at(instant).number for instant in instants] == [0, 1, 1, 2]


def test_messages_and_steps_can_be_sent_to_another_process():
    refused = arriving(trial(), refused=Refusal("invalid", "the line: expected another one, found this"))
    lived = life(arriving(trial()), refused)
    assert pickle.loads(pickle.dumps(lived)) == lived  # noqa: S301 - our own
