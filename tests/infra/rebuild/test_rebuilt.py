"""A document made again from what landed is the living one, and nothing is offered again to its user."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.rebuild.facts import facts
from infra.rebuild.rebuilt import Rebuilt, rebuilt
from shared.contracts.topics import Topic
from shared.decisioning.compile import compile_catalog
from shared.domain.events import Event, FeedbackKind
from shared.domain.triggers import Trigger
from shared.processing.rules import Rules
from shared.queries.past_log import Logged
from shared.record.codec import pack, unpack
from shared.record.user_record import MAX_TRIGGERS, UserRecord
from tests.support import histories, replays
from tests.support.catalogs import CATALOGS
from tests.support.event_lines import line_of
from tests.support.histories import DAY, START, TERMS, USER
from tests.support.landed_lives import LandedLife
from tests.support.lives import lives

EVERYTHING = Rules(CATALOGS["everything"], TERMS)
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)
"""The time after which an app asks: at the very instant of its publication no event was processed yet."""


def lived(events: list[Event], catalog: str, seed: int, *, shuffled: bool) -> LandedLife:
    """A life with doubles, late, rejected and sandbox events, feedback, erasures, and apps that ask for offers."""
    rnd = random.Random(seed)  # noqa: S311 - the same in every run
    life = LandedLife(CATALOGS[catalog])
    lines = [line_of(event) for event in events]
    if not shuffled:
        lines.sort(key=lambda line: str(line["data"]["occurred_at"]))
    lines += rnd.sample(lines, min(2, len(lines)))
    at = START
    placements = sorted(life.rules.catalog.document.placements)
    erasures: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        at = max(at, replays.datetime.fromisoformat(line["data"]["occurred_at"]))
        at += rnd.choice([0, 0, 0, 0.01, 1]) * DAY
        spoilt = rnd.choice([{}] * 18 + [{"environment": "sandbox"}, {"occurred_at": "yesterday"}])
        life.deliver({**line, "data": line["data"] | spoilt}, at)
        if rnd.random() < 0.5 and life.record.triggers:
            trigger = rnd.choice(life.record.triggers)
            at += rnd.choice([0, 0, 0.1, 0.5]) * DAY
            life.feed_back(trigger.trigger_id, rnd.choice([*FeedbackKind]), at, f"feedback-{number}")
        if rnd.random() < 0.05:
            erasures.append(erasure((at - START) / DAY - rnd.choice([0, 0, 5]), f"erasure-{number}"))
            life.deliver(erasures[-1], at)
        elif erasures and rnd.random() < 0.1:
            life.deliver(rnd.choice(erasures), at)
        if rnd.random() < 0.2:
            at += MILLISECOND
            life.request(rnd.choice(placements), f"request-{number}", at)
    life.go_on(at + rnd.choice([0, 3, 40]) * DAY)
    return life


def erasure(days: float, event_id: str) -> dict[str, Any]:
    return replays.event("user-erasure", USER, days, event_id)


def made(life: LandedLife, logged: list[Logged] | None = None) -> Rebuilt:
    return rebuilt(USER, life.logged if logged is None else logged, life.rules)


def record_of(life: LandedLife, logged: list[Logged] | None = None) -> UserRecord:
    """The record made again, packed and unpacked as in a store."""
    record = made(life, logged).record
    assert record is not None
    return unpack(pack(record))


def messages_of(life: LandedLife, *, of: UserRecord) -> list[tuple[str, dict[str, Any]]]:
    """The messages that a user's document leads to in the next weeks: with new events, and old ones again."""
    assert life.record.as_of
    again, at = LandedLife(life.rules.catalog, of), life.record.as_of + HOUR
    events = [one for one in life.logged if one.topic in {"payment", "churn-signal"}]
    for number, message in enumerate(events[-4:]):
        data = orjson.loads(message.delivery.data)
        again.deliver({"topic": message.topic, "data": data}, at)
        new = data | {"event_id": f"new-{number}", "occurred_at": at.isoformat()}
        again.deliver({"topic": message.topic, "data": new}, at)
        at += 3 * DAY
    again.go_on(at + 60 * DAY)
    return [(message.topic, message.body) for message in again.published]


def offers(messages: list[tuple[str, dict[str, Any]]]) -> set[str]:
    issued = (body for topic, body in messages if topic == Topic.UPSELL_TRIGGER and body["kind"] == "issued")
    return {body["trigger_id"] for body in issued}


@settings(max_examples=60)
@given(
    histories.histories(behaving=True, max_size=20) | lives(max_size=25),
    st.sampled_from(sorted(CATALOGS)),
    st.integers(0, 1000),
    st.booleans(),
)
def test_of_any_life_the_document_is_the_living_one_and_goes_on_like_it(
    events: list[Event], catalog: str, seed: int, shuffled: bool
) -> None:
    life = lived(events, catalog, seed, shuffled=shuffled)
    again = made(life)
    assert again.gaps == ()
    if life.record == UserRecord(USER):
        assert again.record is None
        return
    if life.record.is_tombstone:
        assert again.record == life.record
        return
    record, at = record_of(life), life.record.as_of
    assert at
    assert facts(record, at, TERMS) == facts(life.record, at, TERMS)
    assert record.history == life.record.history
    assert record.fired == life.record.fired
    assert {*life.record.raised} <= {*record.raised}
    expected, found = messages_of(life, of=life.record), messages_of(life, of=record)
    if record.raised == life.record.raised and record.requests == life.record.requests:
        assert found == expected
    assert offers(found) <= offers(expected)


def renewing(months: int, catalog: str = "everything", **more: Any) -> LandedLife:
    """A user who pays every month; each payment leads to offers."""
    life = LandedLife(CATALOGS[catalog])
    for month in range(months):
        line = replays.payment(USER, 30 * month, event_id=f"p{month}", **more)
        life.deliver(line, START + 30 * month * DAY)
    return life


def test_more_offers_than_a_document_keeps_count_as_before() -> None:
    life = renewing(40)
    assert len(life.record.triggers) == MAX_TRIGGERS
    assert life.record.tallies.rows
    assert record_of(life) == life.record._replace(pending=record_of(life).pending)


def without(life: LandedLife, *topics: str) -> list[Logged]:
    return [message for message in life.logged if message.topic not in topics]


@pytest.mark.parametrize(
    "lost",
    [
        [Topic.SUBSCRIPTION_CHANGE],
        [Topic.UPSELL_TRIGGER],
        [Topic.SUBSCRIPTION_CHANGE, Topic.UPSELL_TRIGGER, Topic.DECISION, Topic.EXPOSURE],
    ],
)
def test_of_a_log_that_lacks_messages_nothing_is_offered_again(lost: list[str]) -> None:
    life = renewing(3)
    life.go_on(START + 100 * DAY)  # the subscription has lapsed, which led to more offers
    again = made(life, without(life, *lost))
    assert again.record
    assert again.gaps
    assert again.record.fired.floor == again.record.as_of
    known = offers([(message.topic, message.body) for message in life.published])
    assert not offers(messages_of(life, of=again.record)) & known


def test_an_offer_whose_message_is_missing_is_known_from_its_decision() -> None:
    life = renewing(2)
    record = made(life, without(life, Topic.UPSELL_TRIGGER)).record
    assert record
    assert [_brief(one) for one in record.triggers] == [_brief(one) for one in life.record.triggers]
    assert [one.expires_at for one in record.triggers] == [one.expires_at for one in life.record.triggers]


def _brief(trigger: Trigger) -> tuple[object, ...]:
    """A trigger, but for its end, which its decision does not tell."""
    return trigger._replace(expires_at=START, revoked=False, revoke_reason="")


def test_feedback_that_only_an_exposure_tells_counts() -> None:
    life = renewing(1)
    life.feed_back(life.record.triggers[0].trigger_id, FeedbackKind.DISMISSED, START + HOUR, "f")
    record = record_of(life, without(life, Topic.TRIGGER_FEEDBACK))
    assert record.triggers[0].reported(FeedbackKind.DISMISSED) == START + HOUR
    again = LandedLife(life.rules.catalog, record)
    again.feed_back(life.record.triggers[0].trigger_id, FeedbackKind.DISMISSED, START + HOUR, "f")
    assert again.arrivals == ["duplicate"]


WITHHOLDING = compile_catalog(
    {
        "placements": {"banner": {"channel": "in_app"}, "page": {"channel": "in_app"}},
        "offers": {"small": {"cms_ref": "small", "validity_hours": 240}},
        "experiments": {
            "none": {
                "variants": [
                    {"id": "nothing", "offer": None, "weight": 1},
                    {"id": "other", "offer": "small", "weight": 0},
                ]
            }
        },
        "holdouts": {"all": {"percent": 100, "campaigns": ["held"]}},
        "campaigns": {
            "held": {"offer": "small", "placement": "banner", "moments": ["activated"], "priority": 1},
            "tried": {
                "offer": "small",
                "placement": "page",
                "moments": ["activated"],
                "priority": 1,
                "experiment": "none",
                "expires_after_hours": 48,
            },
        },
    }
)


def _as_before_the_fields(message: Logged) -> Logged:
    body = orjson.loads(message.delivery.data)
    for name in ("expires_at", "counted_offer_id"):
        if message.topic == Topic.EXPOSURE:
            body.pop(name, None)
    return message._replace(delivery=message.delivery._replace(data=orjson.dumps(body)))


@pytest.mark.parametrize("change", [lambda message: message, _as_before_the_fields])
def test_withheld_offers_are_restored_also_from_messages_of_before(change: Callable[[Logged], Logged]) -> None:
    life = LandedLife(WITHHOLDING)
    life.deliver(replays.payment(USER, 0), START)
    assert [one.withheld for one in life.record.triggers] == ["holdout", "variant"]
    assert [one.offer_id for one in life.record.triggers] == ["small", "small"]
    assert record_of(life, [*map(change, life.logged)]).triggers == life.record.triggers


def test_a_deferred_decision_waits_on() -> None:
    catalog = {
        "placements": {"banner": {"channel": "in_app"}},
        "offers": {"small": {"cms_ref": "small", "validity_hours": 240}},
        "campaigns": {
            "quiet": {
                "offer": "small",
                "placement": "banner",
                "moments": ["activated"],
                "priority": 1,
                "quiet_hours": {"start": "22:00", "end": "08:00"},
            }
        },
    }
    life = LandedLife(compile_catalog(catalog))
    life.deliver(replays.payment(USER, 0), START)
    assert life.record.deferred
    record = record_of(life)
    assert record.deferred == life.record.deferred
    assert record.next_due_at == life.record.next_due_at == START + 8 * HOUR
    again = LandedLife(life.rules.catalog, record)
    again.go_on(START + DAY)
    assert len(offers([(message.topic, message.body) for message in again.published])) == 1


def test_an_app_that_asks_again_gets_the_same_answer() -> None:
    life = LandedLife(CATALOGS["everything"])
    life.deliver(replays.payment(USER, 0), START)
    (placement,) = (one.terms.placement for one in life.rules.catalog.campaigns.values() if "requested" in one.id)
    life.request(placement, "key", START + HOUR)
    (answer,) = life.record.requests
    assert answer.trigger_id
    again = LandedLife(life.rules.catalog, record_of(life))
    again.request(placement, "key", START + 2 * HOUR)
    assert again.arrivals == ["duplicate"]
    assert again.record.requests == life.record.requests


def test_the_sequence_continues_above_the_greatest_that_landed() -> None:
    life = renewing(3)
    greatest = max(message.body["sequence"] for message in life.published)
    record = record_of(life)
    assert record.sequence == greatest
    again = LandedLife(life.rules.catalog, record)
    again.go_on(START + 200 * DAY)
    assert min(message.body["sequence"] for message in again.published) > greatest


def test_nothing_is_made_of_a_user_whose_events_were_all_rejected_or_of_a_test_environment() -> None:
    life = LandedLife(CATALOGS["default"])
    life.deliver(replays.payment(USER, 0, environment="sandbox"), START)
    life.deliver(replays.payment(USER, 3), START)  # of the future
    life.deliver({"topic": "payment", "data": {"user_id": USER}}, START)
    again = made(life)
    assert again.record is None
    assert again.counts == {"events_sandbox": 1, "events_rejected": 2}
    assert rebuilt(USER, life.logged, life.rules, process_sandbox=True).record is not None


def test_an_event_of_the_future_is_judged_by_the_time_at_which_it_came() -> None:
    life = renewing(1)
    late = {"topic": "payment", "data": replays.payment(USER, 50, event_id="ahead")["data"]}
    life.deliver(late, START + DAY)
    life.deliver(replays.payment(USER, 60, event_id="now"), START + 60 * DAY)
    assert life.arrivals.count("rejected") == 1
    assert record_of(life).history == life.record.history


@pytest.mark.parametrize(
    "garbage",
    [
        {"decided_at": "2026-01-01"},
        {"decided_at": None},
        {"sequence": "7"},
        {"sequence": -1},
        {"event": {}},
        {"cause": 7},
        {"moment": "never"},
        {"moments": [{}]},
        {"candidates": []},
        {"expires_at": "9999"},
        {"facts": {"status": "odd"}},
        {"offset": "soon"},
        {"campaign_id": ["a"]},
    ],
)
def test_messages_that_are_none_are_left_out(garbage: dict[str, Any]) -> None:
    """A document is made all the same, and it can be stored and read."""
    life = renewing(2)

    def spoilt(message: Logged) -> Logged:
        body = orjson.loads(message.delivery.data)
        if not garbage.keys() <= body.keys() or message.topic not in {*TOPICS}:
            return message
        return message._replace(delivery=message.delivery._replace(data=orjson.dumps(body | garbage)))

    logged = [*map(spoilt, life.logged)]
    again = made(life, logged)
    assert again.record
    assert again.counts["messages_unreadable"] == sum(a != b for a, b in zip(logged, life.logged, strict=True))
    assert unpack(pack(again.record)) == again.record
    assert again.record.history == life.record.history


TOPICS = (Topic.UPSELL_TRIGGER, Topic.SUBSCRIPTION_CHANGE, Topic.DECISION, Topic.EXPOSURE)


def test_messages_about_others_change_nothing() -> None:
    life, other = renewing(2), renewing(5, "default")
    others = [
        message._replace(
            delivery=message.delivery._replace(data=message.delivery.data.replace(USER.encode(), b"somebody"))
        )
        for message in other.logged
    ]
    together = sorted([*life.logged, *others], key=lambda message: message.published_at)
    assert made(life, together) == made(life)


def test_of_an_erased_user_the_tombstone_is_made_again_and_what_comes_later_starts_afresh() -> None:
    life = renewing(3)
    life.deliver(erasure(70, "forget"), START + 70 * DAY)
    again = made(life)
    assert again.record == life.record
    assert again.record.is_tombstone
    life.deliver(replays.payment(USER, 5, event_id="late"), START + 71 * DAY)
    assert made(life).record == life.record
    life.deliver(replays.payment(USER, 90, event_id="back"), START + 90 * DAY)
    back = record_of(life)
    assert back._replace(pending=()) == life.record._replace(pending=())
    assert back.erased_at == START + 70 * DAY
    assert {one.cause for one in back.pending} == {one.cause for one in life.record.pending}


@pytest.mark.parametrize("pause", [0 * DAY, HOUR])
def test_what_an_erasure_leaves_is_due_at_once(pause: timedelta) -> None:
    life = renewing(3)
    at = START + 60 * DAY + pause
    life.deliver(erasure(45, "forget"), at)
    record = record_of(life)
    assert record.history == life.record.history
    assert record.next_due_at == life.record.next_due_at
    assert at <= record.next_due_at < at + MILLISECOND


def test_an_erasure_that_is_published_at_the_instant_of_an_apps_request_erases_it() -> None:
    life = renewing(1)
    placement = min(life.rules.catalog.document.placements)
    life.request(placement, "key", START + HOUR)
    life.deliver(erasure(HOUR / DAY, "forget"), START + HOUR)
    assert life.record.is_tombstone
    assert made(life).record == life.record
