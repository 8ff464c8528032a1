import json
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.inspect.message_line import Outcome, message_line
from infra.raw.follower import Follower
from shared.contracts.topics import Topic
from tests.support import replays

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "kind",
        "candidates",
        "moments",
        "before",
        "after",
        "changed",
        "reason",
        "detail",
        "topic",
        "offer_id",
        "number",
    ]
)


def line(topic, body, **attributes):
    return message_line(topic, orjson.dumps(body), attributes, body)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Every message of a small replay, by topic."""
    folder = tmp_path_factory.mktemp("replay")
    lines = [replays.trial(), replays.payment(), replays.payment(days=44, outcome="failed", event_id="f")]
    lines += [replays.erasure("gone", 44)]
    replays.run(folder, *lines, *replays.GARBAGE, keep_store=True, now=replays.START + timedelta(days=120))
    log = Follower(folder / "out" / "raw")
    log.refresh()
    return [
        (one.topic, message_line(one.topic, one.landed.data, one.landed.attributes, one.body))
        for one in log.recent()
    ]


def test_every_message_of_a_replay_has_a_sentence(told):
    assert {topic for topic, _ in told} >= {*Topic} - {Topic.TRIGGER_FEEDBACK, Topic.CHURN_SIGNAL, Topic.EXPOSURE}
    assert [one for topic, one in told if one.outcome == Outcome.UNREADABLE or not one.text] == []


def test_the_sentences_are_those_of_the_other_pages(told):
    texts = {one.text for _, one in told}
    assert "trial started: premium, until 2026-01-15 00:00" in texts
    assert "trial_ending: keep_listening in push (trial.ending@3d)" in texts
    assert "trial.ending: trial_ending issued" in texts


def test_a_dead_letter_and_a_revocation_say_why(told):
    outcomes = {one.outcome: one.text for _, one in told}
    assert outcomes[Outcome.DEAD_LETTER].startswith("payment: ")
    assert outcomes[Outcome.REVOKED].endswith(": no longer true")


def test_a_decision_names_what_was_given_withheld_and_lost():
    lost = {"outcome": "lost", "reason": "cap", "detail": None, "suppressed": False}
    withheld = lost | {"reason": "holdout", "detail": "all", "suppressed": True}
    candidates = [{"campaign_id": "a", "outcome": "issued"}, {"campaign_id": "b", **withheld}]
    candidates += [{"campaign_id": f"c{n}", **lost} for n in range(5)]
    told = line(Topic.DECISION, {"moments": ["renewed"], "candidates": candidates})
    used_up = ", ".join(f"c{n}: its cap is used up" for n in range(3))
    assert told == (Outcome.ISSUED, f"renewed: a issued; b withheld (holdout all); lost: {used_up}, 2 more")


def test_a_message_that_pubsub_gave_up_on_says_whose_it_was():
    told = line(Topic.DEAD_LETTER, {"user_id": "ada"}, CloudPubSubDeadLetterSourceSubscription="payment")
    assert told == (Outcome.DEAD_LETTER, "undelivered: no function took it from payment")


def test_an_event_that_breaks_the_contract_says_how():
    outcome, text = line(Topic.TRIGGER_FEEDBACK, {"user_id": "<b>", "kind": "seen"})
    assert outcome == Outcome.INVALID
    assert text.startswith("unknown_value: kind: expected one of delivered")


@given(st.sampled_from([*Topic, "other"]), st.dictionaries(FIELDS, JSON) | st.none(), st.binary(max_size=20))
def test_nothing_in_a_message_costs_the_page(topic, body, data):
    outcome, text = message_line(topic, data if body is None else json.dumps(body).encode(), {}, body)
    assert isinstance(outcome, Outcome)
    assert isinstance(text, str)
