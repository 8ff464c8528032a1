from datetime import UTC, datetime, timedelta

import orjson
import pytest

from infra.errors import UsageError
from infra.replay.history_line import PRODUCER_TOPICS
from infra.samples.samples import kinds, sample, story
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.events import FeedbackKind, PaymentOutcome, Signal

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
EVENTS = [kind for kind in kinds() if not kind.startswith("story:")]
STORIES = [kind.removeprefix("story:") for kind in kinds() if kind.startswith("story:")]
KNOWN = {"trigger_id": "0f6c2f6a9d1e4b7c8a5d3e2f1b0c9d8e", "payment_id": "p-1"}
"""What the user's own history would give."""


@pytest.mark.parametrize("kind", EVENTS)
def test_every_sample_is_an_event_that_a_function_accepts(kind: str) -> None:
    made = sample(kind, "ada", NOW, {})
    data = made.data | ({made.asks: KNOWN[made.asks]} if made.asks else {})
    event = parse_event(made.topic, Delivery(orjson.dumps(data), {}))
    assert (event.user_id, event.occurred_at) == ("ada", NOW)


def test_there_is_a_sample_of_every_outcome_signal_and_kind_of_feedback() -> None:
    expected = {f"payment.{each}" for each in PaymentOutcome} | {f"signal.{each}" for each in Signal}
    expected |= {f"feedback.{each}" for each in FeedbackKind}
    assert expected - {*EVENTS} == set()


def test_there_is_a_sample_for_every_topic_of_producers() -> None:
    assert {sample(kind, "ada", NOW, {}).topic for kind in EVENTS} == set(PRODUCER_TOPICS)


def test_two_samples_have_different_ids() -> None:
    first, second = (sample("payment.failed", "ada", NOW, {}).data["event_id"] for _ in range(2))
    assert first != second


def test_a_field_can_be_set_left_out_and_dated_relative_to_the_event() -> None:
    data = sample("payment.succeeded", "ada", NOW, {"amount": 499, "currency": None, "period_end": "+7d"}).data
    assert data["amount"] == 499
    assert "currency" not in data
    assert data["period_end"] == "2026-03-08T09:00:00Z"
    assert data["period_start"] == "2026-03-01T09:00:00Z"


def test_text_that_only_resembles_a_distance_stays_text() -> None:
    data = sample("payment.failed", "ada", NOW, {"failure_reason": "30d", "payment_id": "-x"}).data
    assert (data["failure_reason"], data["payment_id"]) == ("30d", "-x")


@pytest.mark.parametrize("kind", ["failed", "payment.faild"])
def test_an_unknown_kind_is_refused_with_the_nearest_one(kind: str) -> None:
    with pytest.raises(UsageError, match=r"expected a kind of event, found '.*' \(payment\.failed\?\)"):
        sample(kind, "ada", NOW, {})


@pytest.mark.parametrize("name", STORIES)
def test_every_step_of_a_story_is_an_event_or_a_wait(name: str) -> None:
    told = story(name)
    assert told.about.endswith(".")
    for step in told.steps:
        assert step.after >= timedelta(0)
        if step.kind:
            made = sample(step.kind, "ada", NOW, step.fields)
            assert made.asks is None, "a story names its payments"
            parse_event(made.topic, Delivery(orjson.dumps(made.data), {}))


def test_an_unknown_story_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"expected a story .*trial-to-win-back.*, found 'none'"):
        story("none")
