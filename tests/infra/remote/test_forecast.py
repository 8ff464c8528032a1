from datetime import timedelta

import orjson
import pytest

from infra.errors import InfraError
from infra.remote.forecast import forecast
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.terms import Terms
from shared.processing.process import absorb
from shared.record.user_record import UserRecord
from tests.support.consoles import NOW
from tests.support.replays import START, payment, trial

TERMS = Terms()
TODAY = START + timedelta(days=20)


def delivery(event):
    return Delivery(orjson.dumps(event["data"]), {})


def record_after(*events):
    record = UserRecord("u")
    for event in events:
        record, _, _ = absorb(record, parse_event(event["topic"], delivery(event)), TERMS)
    return record


def told(event, *before, now=TODAY):
    record = record_after(*before) if before else None
    return forecast(event["topic"], delivery(event), lambda _user: record, now, TERMS)


def test_an_event_that_would_be_applied_says_what_becomes_of_the_status():
    found = told(payment(), trial())
    assert found.checked.reason is None
    assert found.checked.what == "payment succeeded: premium, 2026-01-15 to 2026-02-14"
    assert found.effect == "the status goes from grace to active"
    assert told(payment(event_id="another", days=15), payment()).effect == "the status stays active"


def test_the_document_itself_is_left_alone():
    record = record_after(trial())
    forecast("payment", delivery(payment()), lambda _user: record, TODAY, TERMS)
    assert record == record_after(trial())


def test_a_duplicate_says_so():
    assert told(payment(), payment()).effect == "it is a duplicate: nothing changes"


def test_an_event_of_the_sandbox_says_so():
    event = payment(environment="sandbox")
    assert told(event).effect == "nothing changes"
    assert "sandbox" in told(event).checked.notes[0]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (payment(amount=1.5), "invalid"),
        (payment(outcome="won"), "unknown_value"),
        (payment(days=400), "future_dated"),
    ],
)
def test_an_event_that_would_be_refused_says_why(event, reason):
    assert told(event).checked.reason == reason


def test_an_event_that_contradicts_the_document_would_be_refused():
    assert told(payment(amount=1), payment()).checked.reason == "id_reused"


def test_a_tick_of_the_clock_is_told():
    assert forecast("lifecycle-clock", Delivery(b"", {}), lambda _user: None, NOW, TERMS).checked.what == "a tick"
    assert forecast("lifecycle-clock", Delivery(b"[]", {}), lambda _user: None, NOW, TERMS).checked.reason


def test_a_document_that_cannot_be_read_does_not_hide_the_rest():
    def unreadable(_user):
        raise InfraError("the document of 'u' is damaged")

    found = forecast("payment", delivery(payment()), unreadable, TODAY, TERMS)
    assert found.checked.what.startswith("payment succeeded")
    assert found.effect == "its effect is not known, since the document of 'u' is damaged"


def test_a_document_is_looked_up_for_valid_events_only():
    def unexpected(_user):
        raise AssertionError

    assert forecast("payment", Delivery(b"{}", {}), unexpected, NOW, TERMS).checked.reason
