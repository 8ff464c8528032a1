"""Try: the form of an event and what would come of it. What is published is tested on the emulators."""

import re

import orjson
import pytest

from infra.errors import InfraError
from infra.samples.samples import STORY, kinds, sample
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.terms import Terms
from shared.processing.process import absorb
from shared.record.user_record import UserRecord
from tests.support import consoles
from tests.support.consoles import NOW, text_of

MARKUP = "<img src=x onerror=alert(1)>\"'&"
FAILED = {
    "f.event_id": "e",
    "f.user_id": "ada",
    "f.occurred_at": "2026-03-01T09:00:00Z",
    "f.outcome": "failed",
}


@pytest.fixture
def client(tmp_path):
    return consoles.client(consoles.sources(tmp_path))


def checked(client, topic="payment", **fields):
    given = FAILED | {f"f.{name}": value for name, value in fields.items()}
    return client.get("/try", params={"check": "1", "topic": topic, **given}).text


def would_be(html):
    return text_of(html.partition("What would come of it</h2>")[2])


def test_there_is_a_choice_of_every_kind(client):
    html = client.get("/try").text
    assert [
        kind for kind in kinds() if not kind.startswith(STORY) and f"<option>{kind}</option>" not in html
    ] == []
    assert '<optgroup label="payment">' in html


@pytest.mark.parametrize("kind", [kind for kind in kinds() if not kind.startswith(STORY)])
def test_every_kind_has_a_form_with_a_sample_for_the_user_at_the_present(client, kind):
    html = client.get("/try", params={"kind": kind, "user": "eve"}).text
    assert '<input id="f.user_id" name="f.user_id" value="eve"' in html
    assert 'name="f.occurred_at" value="2026-03-01T09:00:00Z"' in html
    labels, inputs = set(re.findall(r'<label for="([^"]+)"', html)), set(re.findall(r' id="(f\.[^"]+[^t])"', html))
    assert labels >= {one for one in inputs if not one.endswith("-about")}


def test_a_form_that_is_checked_keeps_what_was_typed_in_and_says_what_would_come_of_it(client):
    html = checked(client, plan="gold")
    assert 'name="f.plan" value="gold"' in html
    assert would_be(html).startswith(" It would be accepted: payment failed: gold; the status ")
    assert "This console only reads" in html
    assert "<button>Publish" not in html


def test_every_reason_stands_beside_its_field(client):
    html = checked(client, amount="4.99", currency="euro", event_id="a b")
    for path in ("amount", "currency", "event_id"):
        about = html[html.index(f'id="f.{path}-about"') :]
        assert about.startswith(f'id="f.{path}-about">\n<p class="problem">{path}: expected ')
    assert html.count('aria-invalid="true"') == 3


def test_a_reason_about_a_folded_field_opens_it(client):
    is_open = re.compile(r"<details open>\s*<summary>\d+ more fields")
    assert is_open.search(checked(client, **{"profile.country": "", "period_start": ""}, outcome="succeeded"))
    assert not is_open.search(checked(client))


def test_fields_that_the_contract_does_not_know_can_be_given(client):
    html = checked(client, further='{"shop": "corner", "profile": {"country": "DE"}}')
    assert "It would be accepted" in html
    assert "&#34;shop&#34;: &#34;corner&#34;" in html
    assert "expected a JSON object" in checked(client, further="[1]")
    assert "\\ud800" in checked(client, further='{"half": "\\ud800"}')


def test_a_misspelt_field_and_a_wrong_code_are_told_with_what_was_meant(client):
    html = checked(client, further='{"currencyy": "EUR"}', amount="1", currency="GPB")
    assert "Ignored, since the contract has no such field: currencyy (currency?)." in text_of(html)
    assert "(GBP?)" in text_of(html)


@pytest.mark.parametrize("field", ["event_id", "user_id", "plan", "outcome", "further", "profile.attributes"])
def test_markup_in_any_field_is_text(client, field):
    html = checked(client, **{field: MARKUP})
    assert "<img" not in html
    assert "&lt;img" in html
    assert "<img" not in client.get("/try", params={"kind": "payment.failed", "user": MARKUP}).text


def test_feedback_is_about_the_newest_offer_and_a_refund_about_the_newest_payment(tmp_path):
    data = sample("payment.succeeded", "ada", NOW, {"payment_id": "pay-1"}).data
    event = parse_event("payment", Delivery(orjson.dumps(data), {}))
    record, _, _ = absorb(UserRecord("ada"), event, Terms())
    client = consoles.client(consoles.sources(tmp_path, consoles.MemoryDocuments(record)))
    html = client.get("/try", params={"kind": "payment.refunded", "user": "ada"}).text
    assert 'name="f.payment_id" value="pay-1"' in html
    assert 'name="f.trigger_id" value=""' in client.get("/try", params={"kind": "feedback.clicked"}).text


class Damaged(consoles.MemoryDocuments):
    def read(self, user_id):
        raise InfraError(f"the document of {user_id!r} is damaged")


def test_a_document_that_cannot_be_read_costs_no_form(tmp_path):
    client = consoles.client(consoles.sources(tmp_path, Damaged()))
    assert 'name="f.trigger_id" value=""' in client.get("/try", params={"kind": "feedback.clicked"}).text
    assert "its effect is not known, since the document of &#39;ada&#39; is damaged" in checked(client)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "payment.nix"}, "expected a kind of event"),
        ({"check": "1", "topic": "lifecycle-clock"}, "topic: expected one of"),
        ({"check": "1"}, "topic: expected one of"),
    ],
)
def test_what_makes_no_sense_is_told(client, query, expected):
    answer = client.get("/try", params=query)
    assert (answer.status_code, expected in answer.text) == (400, True)


def test_a_replay_has_no_clock_to_move_and_no_story_to_tell(client):
    assert "Let time pass" not in client.get("/try").text
    assert client.post("/try/time", data={"until": "+1d"}).status_code == 403
    assert "No story happens" in client.get("/try/time").text


def test_what_came_of_nothing_is_told_without_waiting_where_there_is_no_log():
    client = consoles.client(consoles.sources())
    text = text_of(
        client.get("/try/sent", params={"topic": "payment", "message_id": MARKUP, "user_id": MARKUP}).text
    )
    assert "There is no raw log to follow here" in text
    assert "<img" not in text
