"""The console on the emulators, in a browser: a broken event is published, seen, mended, sent back and applied."""

import json
import re
from datetime import UTC, datetime

import pytest

from infra.console import opening
from infra.remote import running
from infra.remote.letter_records import records
from infra.samples.samples import sample
from shared.domain.terms import Terms
from tests.support import consoles
from tests.support.browser import browser, faults, opened
from tests.support.watching import eventually

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def shown(up):  # noqa: ARG001 - it must run
    return opening.of_emulators(running.state_folder(), Terms())


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def address(shown):
    with consoles.served(shown, may_write=True) as base:
        yield base


def status(shown, user):
    record = shown.documents.read(user)
    return record and record.history.at(shown.now(), Terms())[0].best.status


def see(page, text):
    page.get_by_text(text).first.wait_for(timeout=30_000)


def fill_in(page, address, kind, user, **fields):
    """Take a sample, and type something else into some of its fields."""
    page.goto(f"{address}/try")
    page.get_by_label("What happens").select_option(kind)
    page.get_by_label("To which user").first.fill(user)
    page.get_by_role("button", name="Fill in").click()
    for name, value in fields.items():
        page.locator(f'[name="f.{name}"]').fill(value)
    page.get_by_role("button", name="Check it").click()


def test_a_broken_event_is_published_seen_mended_sent_back_and_applied(chromium, address, shown):
    with opened(chromium) as live, opened(chromium) as page:
        live.goto(address)
        see(live, "Following")
        fill_in(page, address, "payment.succeeded", "ada", amount="10.99")
        see(page, "It would be refused as invalid")
        page.get_by_role("button", name="Publish it all the same").click()
        see(page, "It was refused: invalid: amount")
        live.locator(".line.dead-letter").first.wait_for(timeout=30_000)

        page.get_by_role("link", name="dead letter", exact=True).click()
        see(page, "The message")
        assert "amount: expected whole minor units" in page.locator("pre.message mark").inner_text()
        event = page.get_by_label("The event.")
        event.fill(event.input_value().replace("10.99", "-1"))
        page.get_by_role("button", name="Try this change").click()
        see(page, "found a number below 0")
        assert page.locator(".draft button").count() == 0, "what would be refused cannot be sent"

        event = page.get_by_label("The event.")
        event.fill(event.input_value().replace(": -1", ": 1099"))
        page.get_by_role("button", name="Try this change").click()
        see(page, "Changed: amount.")
        see(page, "the status goes from none to active")
        assert faults(page) == []
        page.get_by_label("Why, for the record").first.fill("a decimal")
        page.locator(".draft button").click()
        see(page, "This letter is dealt with.")
        see(page, "mended: amount, as message")
        assert eventually(lambda: status(shown, "ada") == "active")
        live.locator(".line.changed").first.wait_for(timeout=30_000)
    newest = records(shown.running.firestore, 1)[0]
    assert (newest.action, newest.why, newest.changed) == ("mended", "a decimal", ("amount",))


def test_a_valid_event_shows_what_it_led_to(chromium, address, shown):
    with opened(chromium) as page:
        fill_in(page, address, "trial.started", "eve")
        see(page, "It would be accepted: trial started: premium_monthly")
        page.get_by_role("button", name="Publish it to trial-start").click()
        see(page, "It was accepted, and led to")
        see(page, "none -> trialing")
        page.locator(".lines .text", has_text="trial started").wait_for(timeout=30_000)
        assert faults(page) == []
    assert status(shown, "eve") == "trialing"


def test_an_event_that_is_published_again_says_so(chromium, address):
    with opened(chromium) as page:
        fill_in(page, address, "signal.support_contact", "twice")
        again = page.url
        page.get_by_role("button", name="Publish it to").click()
        see(page, "Published to churn-signal")
        page.locator(".lines .line").first.wait_for(timeout=30_000)
        page.goto(again)
        see(page, "it is a duplicate: nothing changes")
        page.get_by_role("button", name="Publish it to").click()
        see(page, "It was accepted; published again: nothing changed.")


def published_broken(shown, user):
    """The id of the letter of an event that a function has refused."""
    event = sample("payment.succeeded", user, shown.now(), {"currency": "euro"}).data
    before = letter_ids(shown)
    shown.running.bus.publish("payment", json.dumps(event).encode())
    assert eventually(lambda: letter_ids(shown) - before)
    [new] = letter_ids(shown) - before
    return new


def letter_ids(shown):
    shown.log.refresh()
    return {one.body["dead_letter_id"] for one in shown.log.recent() if one.topic == "dead-letter"}


def test_of_two_tabs_one_deals_with_a_letter_and_the_other_is_told(chromium, address, shown):
    letter = published_broken(shown, "two-tabs")
    with opened(chromium) as first:
        second = chromium.new_page()
        for tab in (first, second):
            tab.goto(f"{address}/dead-letters/{letter}")
        first.get_by_label("Why, for the record (required)").fill("a test")
        first.get_by_role("button", name="Drop it").click()
        see(first, "This letter is dealt with.")
        see(first, "dropped")
        second.get_by_role("button", name="Send it back to payment").click()
        see(second, "the letter is not among the dead letters now")
        second.close()
    assert shown.documents.read("two-tabs") is None


def test_a_letter_is_not_dropped_without_a_reason(shown):
    letter = published_broken(shown, "no-reason")
    client = consoles.client(shown, may_write=True)
    token = re.search(r'name="token" value="([^"]+)"', client.get(f"/dead-letters/{letter}").text)[1]
    for form, expected in (
        ({"action": "drop", "why": " "}, "why: expected"),
        ({"action": "burn"}, "action: expected"),
    ):
        answer = client.post(f"/dead-letters/{letter}", data={"token": token, **form})
        assert (answer.status_code, expected in answer.text) == (400, True)
    answer = client.post(f"/dead-letters/{letter}", data={"action": "drop", "why": "x"})
    assert answer.status_code == 403, "without the token"
    assert letter in client.get("/dead-letters").text
    answer = client.post(f"/dead-letters/{letter}", data={"token": token, "action": "drop", "why": "a test"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dead-letters/{letter}")


def test_a_console_without_write_shows_everything_and_changes_nothing(shown):
    letter = published_broken(shown, "read-only")
    client = consoles.client(shown)
    html = client.get(f"/dead-letters/{letter}").text
    assert "This console only reads" in html
    assert "<textarea" not in html
    for path in (f"/dead-letters/{letter}", "/try", "/try/time", "/try/story"):
        assert 'method="post"' not in client.get(path.replace("/story", "")).text
        assert client.post(path, data={"token": "x", "action": "drop", "why": "x"}).status_code == 403
    assert letter in client.get("/dead-letters").text


def test_months_pass_and_a_story_happens_from_the_page(chromium, address, shown):
    with opened(chromium) as page:
        page.goto(f"{address}/try")
        story = page.locator("section", has=page.get_by_role("heading", name="failed-payment"))
        story.get_by_label("To which user").fill("tom")
        story.get_by_role("button", name="Let it happen").click()
        see(page, "failed-payment happens to tom")
        page.get_by_text("Done.").wait_for(timeout=120_000)
        see(page, "payment.failed")
        assert status(shown, "tom") == "on_hold"
        before = shown.now()
        page.get_by_role("link", name="Back to Try").click()
        page.get_by_label("By how much, or until when").fill("+1d")
        page.get_by_role("button", name="Move the clock").click()
        page.get_by_text("Done.").wait_for(timeout=120_000)
        assert (shown.now() - before).days >= 1
        assert faults(page) == []
    client = consoles.client(shown, may_write=True)
    token = re.search(r'name="token" value="([^"]+)"', client.get("/try").text)[1]
    answer = client.post("/try/time", data={"token": token, "until": "yesterday"})
    assert (answer.status_code, "expected a distance such as +30d" in answer.text) == (400, True)
    answer = client.post("/try/story", data={"token": token, "story": "refund", "user": "a b"})
    assert (answer.status_code, "user: expected 1 to 256 printable ASCII" in answer.text) == (400, True)
