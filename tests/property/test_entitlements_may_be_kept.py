"""An entitlement that an app keeps is true: equal tags mean equal answers, and it holds until its `until`."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Rejected
from shared.domain.events import Event
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.queries.access import Entitlement, entitlement
from shared.record.user_record import UserRecord
from tests.support.catalogs import CATALOGS
from tests.support.histories import DAY, START, TERMS, USER, histories, in_order
from tests.support.lives import lives

RULES = Rules(CATALOGS["default"], TERMS)
delays = st.lists(st.timedeltas(timedelta(0), 40 * DAY), min_size=1, max_size=4)


def told(record: UserRecord, now: datetime) -> Entitlement:
    return entitlement(record, now, TERMS)


def after_each(events: list[Event]) -> list[tuple[UserRecord, datetime]]:
    """The record after each event that is taken, and the instant at which it is."""
    record, now, states = UserRecord(USER), START, []
    for event in events:
        now = max(now, event.occurred_at)
        try:
            record = process(record, event, now, RULES).record
        except Rejected:
            continue
        states.append((record, now))
    return states


@given(lives() | histories().map(in_order), delays)
def test_equal_tags_mean_equal_answers(events: list[Event], later: list[timedelta]) -> None:
    known: dict[str, Entitlement] = {}
    for record, now in after_each(events):
        for delay in (timedelta(0), *later):
            answer = told(record, now + delay)
            assert known.setdefault(answer.tag, answer) == answer


@given(lives() | histories().map(in_order), delays)
def test_time_alone_changes_nothing_before_until(events: list[Event], later: list[timedelta]) -> None:
    for record, now in after_each(events):
        answer = told(record, now)
        for delay in later:
            at = now + delay
            if answer.until is None or at < answer.until:
                assert told(record, at) == answer
