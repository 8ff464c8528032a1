"""The spans of time that subscriptions spent in each status."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.subscription import Status
from shared.domain.terms import Terms
from shared.queries.status_spans import status_spans
from tests.support.histories import DAY, START, USER, delivered, histories, in_order, instants
from tests.support.story import auto_renew_off, day, failed, paid, trial

TERMS = Terms()
NOW = START + 200 * DAY


def spans(*events, now=NOW):
    found = status_spans(USER, events, None, now, TERMS)
    return [(span.status.value, (span.begins - START) / DAY, (span.ends - START) / DAY) for span in found]


def test_events_and_time_change_the_status():
    assert spans(
        trial(0, ends=14), paid(14), failed(44), paid(46, start=44), auto_renew_off(50), now=day(100)
    ) == [
        ("trialing", 0, 14),
        ("active", 14, 44),
        ("grace", 44, 46),
        ("active", 46, 74),
        ("expired", 74, 100),
    ]


def test_each_subscription_has_spans_of_its_own_and_a_change_of_plan_begins_another():
    events = [paid(0, plan="basic"), paid(10, plan="family", end=40), paid(5, sub="second")]
    found = status_spans(USER, events, None, day(20), TERMS)
    assert [(span.subscription_id, span.plan, (span.begins - START) / DAY) for span in found] == [
        ("main", "basic", 0),
        ("main", "family", 10),
        ("second", "basic", 5),
    ]


def test_nobody_without_events_has_spans():
    assert spans() == []


def test_what_a_document_no_longer_holds_is_told_from_its_base_on():
    payments = [paid(30 * number) for number in range(6)]
    history = delivered(payments).shrink(2, TERMS, USER)
    [span] = status_spans(USER, (), history, day(170), TERMS)
    assert (span.status, (span.begins - START) / DAY, (span.ends - START) / DAY) == (Status.ACTIVE, 90, 170)


@given(events=histories(), instant=instants, now=instants)
def test_at_every_instant_the_spans_say_what_a_read_says(events, instant, now):
    history = delivered(in_order(events))
    at = min(instant, now)
    found = status_spans(USER, events, history, now + DAY, TERMS)
    known = {span.subscription_id: (span.status, span.plan) for span in found if span.begins <= at < span.ends}
    read, _ = history.up_to(at, TERMS, USER).at(at, TERMS)
    assert known == {sub.id: (sub.status, sub.plan) for sub in read.subscriptions if sub.status is not Status.NONE}


@given(events=histories(), kept=st.integers(1, 5))
def test_a_document_that_holds_less_tells_the_same_as_the_log_does(events, kept):
    history = delivered(in_order(events))
    assert status_spans(USER, events, history.shrink(kept, TERMS, USER), NOW, TERMS) == status_spans(
        USER, events, history, NOW, TERMS
    )


@given(events=histories())
def test_spans_follow_each_other_without_overlap_and_end_by_now(events):
    now = START + timedelta(days=90)
    found = status_spans(USER, events, None, now, TERMS)
    for before, after in pairwise(found):
        if before.subscription_id == after.subscription_id:
            assert before.ends <= after.begins
    assert all(span.begins < span.ends for span in found)
