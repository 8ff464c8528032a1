import json
from datetime import UTC, datetime, time

import pytest

from infra.analytics.training.snapshots import HORIZON, LAST_DAY, LONGEST_OVERDUE, snapshots
from infra.demo import cdnow
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.decisioning.audiences.facts import FACTS
from shared.domain.events import Profile
from shared.domain.history import History
from shared.domain.terms import Terms
from shared.domain.user import User

TERMS = Terms()
KNOWN = list(snapshots())


@pytest.fixture(scope="module")
def events():
    """The demo's events for every hundredth customer."""
    chosen = [line for line in cdnow.events() if line["data"]["user_id"].endswith("00")]
    return [parse_event(line["topic"], Delivery(json.dumps(line["data"]).encode(), {})) for line in chosen]


def test_a_snapshot_says_what_the_facts_of_the_replayed_history_say(events):
    of_them = [one for one in KNOWN if one.customer.endswith("00")]
    assert len(of_them) > 100
    for one in of_them:
        history = History()
        for event in events:
            if event.user_id == f"cdnow-{one.customer}" and event.occurred_at.date() < one.day:
                history = history.add(event, TERMS).history
        now = datetime.combine(one.day, time(), UTC)
        user = User("u", now, history.at(now, TERMS)[0], Profile())
        assert FACTS["subscription.recent_payments"](user) == one.recent_payments
        assert FACTS["subscription.days_until_period_end"](user) == one.days_until_period_end


def test_who_left_bought_nothing_in_the_next_sixty_days(events):
    of_them = [one for one in KNOWN if one.customer.endswith("00")]
    assert {one.left for one in of_them} == {True, False}
    for one in of_them:
        days = [event.occurred_at.date() for event in events if event.user_id == f"cdnow-{one.customer}"]
        assert one.left != any(one.day <= day < one.day + HORIZON for day in days)


def test_every_snapshot_has_its_next_sixty_days_in_the_log_and_is_not_of_somebody_long_gone():
    assert max(one.day for one in KNOWN) + HORIZON <= LAST_DAY
    assert min(one.days_until_period_end for one in KNOWN) == -LONGEST_OVERDUE
    assert all(one.day.day == 1 for one in KNOWN)


def test_a_purchase_of_the_day_itself_is_yet_to_come():
    bought = {(line["data"]["user_id"], line["data"]["occurred_at"][:10]) for line in cdnow.events()}
    that_day = [one for one in KNOWN if (f"cdnow-{one.customer}", one.day.isoformat()) in bought]
    assert that_day
    assert not any(one.left for one in that_day)
