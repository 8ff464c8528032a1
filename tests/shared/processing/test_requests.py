"""An app asks what to offer in a placement: decided like any event, answered once, and folded nowhere."""

import pytest

from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.domain.arrival import Arrival
from shared.domain.errors import Rejected
from shared.domain.events import Event, Key, OfferRequested
from shared.domain.requests import MAX_REQUESTS
from shared.processing.process import Processed, process
from shared.processing.rules import Rules
from shared.record.codec import pack, unpack
from shared.record.user_record import UserRecord
from tests.support.histories import USER
from tests.support.story import TERMS, cancelled, day, paid

CATALOG = {
    "offers": {
        "cheap": {"cms_ref": "c1", "validity_hours": 24},
        "dear": {"cms_ref": "c2", "price_ref": "p1", "validity_hours": 24},
    },
    "placements": {"home": {"channel": "app"}, "player": {"channel": "app", "holds": "open"}},
    "campaigns": {
        "at_home": {"moments": ["offer.requested"], "offer": "cheap", "placement": "home", "priority": 1},
        "better": {
            "moments": ["offer.requested", "renewed"],
            "offer": "dear",
            "placement": "player",
            "priority": 2,
            "cap": {"max": 1, "window_days": 90},
        },
        "in_player": {"moments": ["offer.requested"], "offer": "cheap", "placement": "player", "priority": 1},
    },
}


def catalog(**changes: object) -> Catalog:
    return compile_catalog(CATALOG | changes)


def request(key: str, placement: str = "home", at: float = 1) -> Event:
    return Event(Key(day(at), "offer-request", "", key), USER, "", OfferRequested(placement), placement)


def asked(record: UserRecord, event: Event, by: Catalog | None = None) -> Processed:
    return process(record, event, event.occurred_at, Rules(by or catalog(), TERMS))


def topics(processed: Processed) -> list[str]:
    return [message.topic for message in processed.messages]


def given(processed: Processed) -> list[str]:
    return [one.body["campaign_id"] for one in processed.messages if one.topic == Topic.UPSELL_TRIGGER]


def test_only_campaigns_of_the_placement_are_considered() -> None:
    processed = asked(UserRecord(USER), request("r1"))
    assert given(processed) == ["at_home"]
    (decision,) = [message.body for message in processed.messages if message.topic == Topic.DECISION]
    assert [one["campaign_id"] for one in decision["candidates"]] == ["at_home"]
    assert decision["moments"] == ["offer.requested"]
    assert decision["event"] == {"topic": "offer-request", "source": "", "event_id": "r1"}


def test_a_request_is_no_change_of_a_subscription_and_no_part_of_its_history() -> None:
    record = asked(UserRecord(USER), paid(0)).record
    processed = asked(record, request("r1"))
    assert topics(processed) == [Topic.UPSELL_TRIGGER, Topic.DECISION]
    assert processed.record.history == record.history


def test_the_answer_is_the_trigger_that_it_became() -> None:
    processed = asked(UserRecord(USER), request("r1"))
    (answer,) = processed.record.requests
    assert answer.trigger_id == processed.record.triggers[0].trigger_id
    assert (answer.at, answer.cause) == (day(1), request("r1").key.cause)


def test_a_repeated_request_is_a_duplicate_and_makes_no_second_trigger() -> None:
    first = asked(UserRecord(USER), request("r1"))
    again = asked(unpack(pack(first.record)), request("r1", at=2))
    assert (again.arrival, again.record.requests, again.messages) == (Arrival.DUPLICATE, first.record.requests, ())


def test_a_key_that_is_reused_for_another_placement_is_rejected() -> None:
    record = asked(UserRecord(USER), request("r1")).record
    with pytest.raises(Rejected, match="id_reused"):
        asked(record, request("r1", "player"))


def test_what_is_open_in_the_placement_is_the_answer_if_nothing_new_is_given() -> None:
    first = asked(UserRecord(USER), request("r1", "player"))
    second = asked(first.record, request("r2", "player", at=1.5))
    assert given(first) == ["better"]
    assert given(second) == []
    assert [one.trigger_id for one in second.record.requests] == [first.record.triggers[0].trigger_id] * 2


def test_an_offer_that_the_same_commit_gives_for_another_moment_of_the_placement_is_the_answer() -> None:
    record = asked(UserRecord(USER), paid(0)).record
    renewed = process(record, paid(30), day(30), Rules(catalog(), TERMS))
    assert given(renewed) == ["better"]
    answer = asked(renewed.record, request("r1", "player", at=30)).record.requests[-1]
    assert answer.trigger_id == renewed.record.triggers[0].trigger_id


def test_nothing_is_answered_and_nothing_written_where_no_campaign_listens() -> None:
    record = asked(UserRecord(USER), paid(0)).record
    assert asked(record, request("r1", "elsewhere")).record is record


def test_an_answer_of_nothing_is_remembered_if_campaigns_were_considered() -> None:
    processed = asked(UserRecord(USER), request("r1"), catalog(kill_switch=True))
    assert topics(processed) == [Topic.DECISION]
    assert processed.record.requests[0].trigger_id is None
    assert asked(processed.record, request("r1", at=2)).arrival is Arrival.DUPLICATE


def test_what_is_withheld_is_no_answer() -> None:
    held_out = catalog(holdouts={"all": {"percent": 100}})
    processed = asked(UserRecord(USER), request("r1"), held_out)
    assert processed.record.triggers[0].withheld
    assert processed.record.requests[0].trigger_id is None


def test_quiet_hours_defer_nothing_for_who_waits_for_an_answer() -> None:
    quiet = catalog(
        time_zone="UTC",
        channels={"app": {"quiet_hours": {"start": "00:00", "end": "23:59"}}},
    )
    processed = asked(UserRecord(USER), request("r1"), quiet)
    assert processed.record.deferred == ()
    (decision,) = [message.body for message in processed.messages]
    assert decision["candidates"][0]["reason"] == "quiet_hours"


def test_the_newest_answers_are_remembered() -> None:
    record = UserRecord(USER)
    for number in range(MAX_REQUESTS + 3):
        record = asked(record, request(f"r{number}", at=1 + number)).record
    known = [one.cause for one in record.requests]
    assert known == [request(f"r{number}").key.cause for number in range(3, MAX_REQUESTS + 3)]


def test_a_trigger_of_a_request_outlives_changes_of_the_subscription() -> None:
    record = asked(UserRecord(USER), request("r1")).record
    for event in (paid(1.1), cancelled(1.2)):
        record = asked(record, event).record
    assert not record.triggers[0].revoked


def test_what_is_due_is_settled_with_a_request() -> None:
    record = asked(UserRecord(USER), paid(0)).record
    late = process(record, request("r1", at=60), day(60), Rules(catalog(), TERMS))
    assert Topic.SUBSCRIPTION_CHANGE in topics(late)
    assert given(late) == ["at_home"]


def test_who_asks_again_is_shown_the_same_trigger_even_where_a_placement_holds_several() -> None:
    record = asked(UserRecord(USER), request("r1")).record
    for number in range(2, 5):
        processed = asked(record, request(f"r{number}", at=1 + number / 100))
        record = processed.record
        assert given(processed) == []
    assert [one.trigger_id for one in record.requests] == [record.triggers[0].trigger_id] * 4
