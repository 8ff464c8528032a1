"""The whole life of a user, from a raw log and from the user's document."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.raw.folder import RAW
from infra.raw.reader import messages_about
from infra.replay.stores import STORE, read_document
from shared.contracts.inbound.envelope import Delivery
from shared.contracts.outbound.dead_letter import PUBSUB_ATTRIBUTE_PREFIX, SOURCE_SUBSCRIPTION
from shared.contracts.topics import Topic
from shared.decisioning.arbitration import trigger_id
from shared.domain.events import cause_of
from shared.queries.life import LifeKind, life, life_view
from shared.queries.past_log import Logged
from shared.queries.user_view import to_json
from shared.record.codec import unpack
from tests.support import replays
from tests.support.replays import START, at, erasure, event, payment, signal, trial

SHOWN = trigger_id("u", cause_of("payment", "", "failed"), "payment_recovery")
BAD = event("payment", "u", 44, "bad", outcome="succeeded", plan="premium")
NAMELESS = cause_of("trigger-feedback", "", "")
"""The cause of feedback of which the document keeps no identity."""
LIVED = [
    trial(),
    payment(days=13),
    payment(days=13) | {"publish_time": at(14)},
    payment("other", days=20),
    payment(days=43, outcome="failed", event_id="failed"),
    event("trigger-feedback", "u", 43.5, "seen", trigger_id=SHOWN, kind="impression"),
    event("trigger-feedback", "u", 43.6, "of-nothing", trigger_id="nothing", kind="clicked"),
    BAD | {"publish_time": at(44)},
    payment(days=44, event_id="tester", environment="sandbox"),
    payment(days=45, event_id="recovered"),
    payment(days=45, event_id="recovered", amount=1) | {"publish_time": at(46)},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return replays.run(tmp_path_factory.mktemp("life"), *LIVED, keep_store=True).folder


@pytest.fixture(scope="module")
def logged(folder):
    return messages_about(folder / RAW, "u").messages


@pytest.fixture(scope="module")
def record(folder):
    return unpack(read_document(folder / STORE, "u").blob)


def told(entries, *kinds):
    return [(f"{each.body.get('event_id')}", each.note) for each in entries if each.kind in kinds]


def test_a_life_begins_after_an_erasure_also_where_the_document_is_gone(tmp_path):
    late = payment(days=19, event_id="late") | {"publish_time": at(40)}
    lines = trial(), erasure(), payment(days=30, event_id="new"), late
    out = replays.run(tmp_path, *lines, keep_store=True).folder
    messages = messages_about(out / RAW, "u").messages
    for document in (unpack(read_document(out / STORE, "u").blob), None):
        whole = life("u", messages, document)
        assert whole.missing == ()
        assert told(whole.entries, LifeKind.EVENT) == [("new", "applied")]
        assert {entry.at for entry in whole.entries} == {START + timedelta(days=30)}


def test_every_event_is_told_with_what_became_of_it(logged, record):
    whole = life("u", logged, record)
    assert told(whole.entries, LifeKind.EVENT, LifeKind.FEEDBACK) == [
        ("trial", "applied"),
        ("payment", "applied"),
        ("payment", "duplicate"),
        ("failed", "applied"),
        ("seen", "applied"),
        ("tester", "sandbox"),
        ("recovered", "applied"),
    ]
    assert (whole.has_document, whole.has_log, whole.missing) == (True, True, ())


def test_rejected_events_are_told_with_their_reasons_once_each(logged, record):
    rejected = [one for one in life("u", logged, record).entries if one.kind is LifeKind.REJECTED]
    assert [(one.topic, one.body["event"]["event_id"], one.note.partition(": ")[0]) for one in rejected] == [
        ("trigger-feedback", "of-nothing", "unknown_trigger"),
        ("payment", "bad", "invalid"),
        ("payment", "recovered", "id_reused"),
    ]
    assert "amount: expected a value" in rejected[1].note
    assert [one.at.isoformat() for one in rejected] == [at(43.6), at(44), at(46)]


def test_each_message_about_the_user_is_told_once_and_follows_its_event(folder, logged, record):
    entries = life("u", [*logged, *logged], record).entries
    for kind, name in (
        (LifeKind.CHANGE, "changes"),
        (LifeKind.DECISION, "decisions"),
        (LifeKind.TRIGGER, "triggers"),
        (LifeKind.EXPOSURE, "exposures"),
    ):
        published = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        ours = [body for body in published if body["user_id"] == "u"]
        assert ours, name
        assert [one.body for one in entries if one.kind is kind] == ours
    seen = set()
    for entry in entries:
        if entry.event:
            seen.add(entry.event.key[1:])
        elif entry.kind is not LifeKind.REJECTED:
            assert tuple(entry.body["event"][name] for name in ("topic", "source", "event_id")) in seen


def test_an_issued_trigger_is_told_with_its_fate_and_a_revoked_one_with_the_reason(logged, record):
    (recovery,) = [
        each
        for each in life("u", logged, record).entries
        if each.kind is LifeKind.TRIGGER and each.body["trigger_id"] == SHOWN and each.body["kind"] == "issued"
    ]
    assert recovery.note == "impression, revoked (moment)"


def test_a_user_who_is_only_in_the_log_is_still_told(logged, record):
    alone = life("u", logged, None)
    assert not alone.has_document
    assert alone.entries == life("u", logged, record).entries
    assert alone.missing == ()


def test_without_a_log_the_document_tells_what_it_holds_and_what_is_missing(record):
    held = life("u", None, record)
    assert told(held.entries, LifeKind.EVENT) == [
        (name, "applied") for name in ("trial", "payment", "failed", "recovered")
    ]
    issued = [one for one in held.entries if one.kind is LifeKind.TRIGGER and one.body["kind"] == "issued"]
    assert {one.body["campaign_id"] for one in issued} >= {"trial_ending", "payment_recovery"}
    assert held.missing == (
        "decisions and changes of more than 14 days ago and rejected events are not told: there is no raw log",
    )


def test_what_the_log_lacks_and_the_document_holds_is_added_and_told(logged, record):
    whole = life("u", logged, record)
    for kind in (LifeKind.EVENT, LifeKind.FEEDBACK, LifeKind.TRIGGER, LifeKind.DECISION):
        last = [one for one in whole.entries if one.kind is kind and one.note != "sandbox"][-1]
        without = [
            one
            for one in logged
            if last.body.get("event_id", last.body.get("message_id")).encode() not in one.delivery.data
            or one.topic != last.topic
        ]
        assert len(without) < len(logged)
        lacking = life("u", without, record)
        assert len([one for one in lacking.entries if one.kind is kind]) >= 1
        assert "the raw log lacks" in " ".join(lacking.missing), kind


def test_a_log_that_begins_in_the_midst_of_a_life_says_so(logged):
    assert life("u", logged[10:], None).missing == ("the raw log begins in the midst of the user's life",)


def test_a_log_without_old_events_does_not_add_up_to_the_document(logged, record):
    """The ring holds all events, so that what is left out is added from the document."""
    missing = life("u", [one for one in logged if one.topic != Topic.TRIAL_START], record).missing
    assert missing == ("the raw log lacks 1 entry that the document holds",)


def test_a_letter_that_pubsub_forwarded_is_told_in_place_of_its_event(logged):
    message = next(one for one in logged if one.topic == Topic.PAYMENT)
    attributes = {SOURCE_SUBSCRIPTION: "payment", f"{PUBSUB_ATTRIBUTE_PREFIX}SourceDeliveryCount": "5"}
    letter = Logged(Topic.DEAD_LETTER, message.published_at, Delivery(message.delivery.data, attributes, "99"))
    (entry,) = life("u", [message, letter], None).entries
    assert (entry.kind, entry.topic, entry.published_at) == (LifeKind.REJECTED, "payment", message.published_at)
    assert entry.note.startswith("undelivered: No function acknowledged")
    assert entry.body["attributes"] == {}


def test_letters_about_others_and_without_events_are_told_by_the_id_in_quotes_alone(logged):
    def letter(data):
        return Logged(Topic.DEAD_LETTER, logged[0].published_at, Delivery(data, {}, "1"))

    bodies = (b"", b"[]", b'{"data_base64": 5}', b'{"data_base64": "!", "topic": {}}', b'{"attributes": []}')
    assert life("u", [letter(body) for body in bodies], None).entries == ()
    torn = {
        "topic": "payment",
        "reason": "not_json",
        "detail": "d",
        "attributes": {},
        "data_base64": "eyJ1c2VyX2lkIjogInUiLA==",
    }
    (entry,) = life("u", [letter(json.dumps(torn).encode())], None).entries
    assert (entry.note, entry.body["event"]) == ("not_json: d", None)


def test_messages_that_are_not_of_the_contract_are_counted_and_left_out(logged, record):
    body = b'{"user_id": "u", "sequence": "x", "decided_at": 5}'
    bad = [
        one._replace(delivery=one.delivery._replace(data=body)) for one in logged if one.topic == Topic.DECISION
    ]
    whole = life("u", [*logged, *bad], record)
    assert whole.entries == life("u", logged, record).entries
    assert whole.missing == (
        f"the raw log holds {len(bad)} messages about the user that this version cannot read",
    )


ids = st.sampled_from(["e-1", "e-2", "e-3", "e-4"])
days = st.integers(0, 60).map(lambda halves: halves / 2)
events = (
    st.builds(trial, st.just("u"), days, st.integers(31, 40), ids)
    | st.builds(payment, st.just("u"), days, st.sampled_from(["succeeded", "failed", "refunded"]), ids)
    | st.builds(signal, st.just("u"), days, st.sampled_from(["auto_renew_off", "inactivity", "cancelled"]), ids)
)


def arriving(line, delay):
    occurred_at = datetime.fromisoformat(line["data"]["occurred_at"])
    return line | {"publish_time": (occurred_at + timedelta(days=delay)).isoformat()}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(arriving, events, st.sampled_from([0, 0, 0.25, 3, 20])), min_size=1, max_size=10))
def test_in_whatever_order_events_arrive_each_is_told_once_and_nothing_is_missing(history):
    history = sorted(history, key=lambda line: line["publish_time"])
    with TemporaryDirectory() as name:
        out = replays.run(Path(name), *history, keep_store=True).folder
        messages = messages_about(out / RAW, "u").messages
        stored = read_document(out / STORE, "u")
        published = sum(
            len((out / f"{file}.jsonl").read_text().splitlines())
            for file in ("changes", "decisions", "triggers", "exposures")
        )
        letters = len((out / "dead-letter.jsonl").read_text().splitlines())
    whole = life("u", messages, unpack(stored.blob) if stored else None)
    assert whole.missing == ()
    kinds = [one.kind for one in whole.entries]
    assert sum(kind in {LifeKind.EVENT, LifeKind.REJECTED} for kind in kinds) == len(history)
    assert kinds.count(LifeKind.REJECTED) == letters
    outbound = {LifeKind.CHANGE, LifeKind.DECISION, LifeKind.TRIGGER, LifeKind.EXPOSURE}
    assert sum(kind in outbound for kind in kinds) == published
    assert [one.at for one in whole.entries] == sorted(one.at for one in whole.entries)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_torn_or_missing_the_rest_is_told_in_order(logged, record, data):
    kept = data.draw(st.lists(st.sampled_from(logged), unique_by=logged.index))
    kept.sort(key=logged.index)
    torn = data.draw(st.sets(st.integers(0, len(logged) - 1), max_size=3))
    ends = data.draw(st.integers(0, 300))
    messages = [
        one._replace(delivery=one.delivery._replace(data=one.delivery.data[:ends])) if number in torn else one
        for number, one in enumerate(kept)
    ]
    for known in (record, None):
        whole = life("u", messages, known)
        assert [one.at for one in whole.entries] == sorted(one.at for one in whole.entries)
        to_json(life_view(whole))
        if known:
            held = {one.event.key.cause for one in life("u", None, record).entries if one.event}
            assert held <= {one.event.key.cause for one in whole.entries if one.event} | {NAMELESS}
