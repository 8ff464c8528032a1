from collections import Counter

import pytest

from infra.demo import cdnow, tour
from infra.inspect.timeline import EntryKind
from infra.replay.stores import STORE, read_document
from tests.support import replays
from tests.support.replays import payment, signal, trial


def test_the_history_has_every_purchase_of_every_customer_in_order():
    events = [line["data"] for line in cdnow.events()]
    assert len(events) == len({event["event_id"] for event in events}) == 6919
    assert len({event["user_id"] for event in events}) == 2357
    times = [event["occurred_at"] for event in events]
    assert times == sorted(times)
    assert (times[0], times[-1]) == ("1997-01-01T12:00:00+00:00", "1998-06-30T12:00:00+00:00")


def test_two_purchases_of_one_day_are_two_events():
    of_day = Counter((event["data"]["user_id"], event["data"]["occurred_at"][:10]) for event in cdnow.events())
    user_id, day = next(each for each, count in of_day.items() if count == 2)
    twice = [event["data"] for event in cdnow.events() if event["data"]["user_id"] == user_id]
    times = [event["occurred_at"] for event in twice if event["occurred_at"].startswith(day)]
    assert times == [f"{day}T12:00:00+00:00", f"{day}T12:01:00+00:00"]


@pytest.fixture
def toured(tmp_path):
    """The results of a history of three users, one of whom is the most eventful."""
    lines = [
        payment("a", 0),
        trial("b", 1, 15),
        payment("b", 16, event_id="first"),
        signal("b", 20, "auto_renew_off"),
        payment("c", 21),
    ]
    return tour.replay_history(tmp_path, lines, lambda _: None)


def test_the_user_told_of_is_the_one_with_most_kinds_of_things(toured):
    assert toured.user_id == "b"
    assert [entry.text.split(":")[0] for entry in toured.timeline if entry.kind is EntryKind.EVENT] == [
        "trial started",
        "payment succeeded",
        "signal",
    ]


def test_of_users_who_have_been_through_as_much_the_first_by_id_is_told_of(tmp_path):
    renewals = [payment("a", days, event_id=f"p{days}") for days in (0, 30)]
    twice_more = [payment("b", days, event_id=f"p{days}") for days in (0, 30, 60)]
    done = replays.run(tmp_path, *twice_more[:2], *renewals, payment("b", 60, "failed", "p60"))
    assert tour.most_eventful(done.folder) == "b"
    done = replays.run(tmp_path, payment("z", 0), payment("m", 0), *renewals[:1])
    assert tour.most_eventful(done.folder) == "a"


def test_users_and_triggers_are_counted(toured):
    assert toured.users == {"active": 3}
    assert toured.campaigns["save_offer"] == {"issued": 1}
    assert next(iter(toured.campaigns)) == "trial_ending"


def test_every_user_can_be_shown_afterwards(toured):
    assert all(read_document(toured.folder / STORE, user_id) for user_id in "abc")
