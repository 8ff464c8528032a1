"""Webhooks: signed, sent once what they are about is stored, and again until they arrive."""

import hmac
import json
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.utils import timezone
from receiver import upbeat_running

from entries import outbox
from entries.models import Webhook


@pytest.fixture
def upbeat(settings, db):
    with upbeat_running() as running:
        settings.WEBHOOK_URL = running.url
        yield running


def waiting():
    return Webhook.objects.filter(answered_at=None)


def make_due():
    waiting().update(due_at=timezone.now())


def test_a_webhook_is_signed_with_its_time(upbeat, offer, settings):
    before = time.time_ns() // 1_000_000
    assert outbox.send_next()
    [(path, headers, body)] = upbeat.requests
    assert path == "/catalog_sync?from=cms"
    assert json.loads(body) == {"event": "published", "entry": {"type": "offer", "id": "annual"}}
    given = dict(part.split("=") for part in headers["X-Upbeat-Signature"].split(","))
    assert before <= int(given["t"]) <= time.time_ns() // 1_000_000
    signed = given["t"].encode() + b"." + body
    assert given["v1"] == hmac.new(settings.WEBHOOK_SECRET.encode(), signed, "sha256").hexdigest()


def test_what_arrived_is_not_sent_again(upbeat, offer):
    assert outbox.send_next()
    assert not outbox.send_next()
    assert len(upbeat.requests) == 1
    assert '"published"' in Webhook.objects.get().answer


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 429, 500, 503])
def test_what_was_not_accepted_is_sent_again_later_and_later(upbeat, offer, status):
    upbeat.statuses.extend([status] * 3)
    waits = []
    for _ in range(3):
        assert outbox.send_next()
        assert not outbox.send_next()
        waits.append(Webhook.objects.get().due_at - timezone.now())
        make_due()
    assert outbox.send_next()
    assert not waiting()
    assert len(upbeat.requests) == 4
    assert waits == sorted(waits)
    assert timedelta(seconds=12) < waits[-1] < timedelta(seconds=17)
    assert len({headers["X-Upbeat-Signature"] for _, headers, _ in upbeat.requests}) == 4
    assert {path for path, *_ in upbeat.requests} == {"/catalog_sync?from=cms"}


def test_a_wait_has_a_bound(upbeat, offer):
    Webhook.objects.update(attempts=10_000)
    upbeat.statuses.append(500)
    outbox.send_next()
    assert waiting().get().due_at - timezone.now() <= timedelta(minutes=10)


def test_an_answer_about_mistakes_is_an_answer(upbeat, offer):
    upbeat.statuses.append(422)
    assert outbox.send_next()
    assert not waiting()


def test_upbeat_that_cannot_be_reached_is_tried_later(upbeat, offer, settings):
    settings.WEBHOOK_URL = "http://127.0.0.1:1/"
    assert outbox.send_next()
    assert "refused" in waiting().get().answer
    make_due()
    settings.WEBHOOK_URL = upbeat.url
    call_command("send_webhooks", once=True)
    assert not waiting()


def test_without_an_address_webhooks_wait(offer, settings):
    assert settings.WEBHOOK_URL == ""
    assert not outbox.send_next()
    assert waiting().count() == 1


def test_the_newest_webhook_serves_those_before_it(upbeat, shipped):
    assert waiting().count() == 30
    call_command("send_webhooks", once=True)
    assert len(upbeat.requests) == 1
    assert not waiting()


def test_who_unpublished_an_entry_is_told_of_each(upbeat, offer, admin):
    admin.post(admin.page(offer, "unpublish"))
    admin.edit(offer, "publish")
    call_command("send_webhooks", once=True)
    told = [json.loads(body) for *_, body in upbeat.requests]
    entry = {"type": "offer", "id": "annual"}
    unpublished = {"event": "unpublished", "entry": entry, "by": "admin"}
    assert told == [{"event": "published", "entry": entry}, unpublished]
    assert not waiting()


def test_a_webhook_that_comes_while_one_is_sent_is_sent_next(upbeat, offer, monkeypatch):
    post = outbox._post

    def slow(webhook):
        Webhook.objects.create(event="published", kind="offer", entry_id="other")
        monkeypatch.setattr(outbox, "_post", post)
        return post(webhook)

    monkeypatch.setattr(outbox, "_post", slow)
    assert outbox.send_next()
    assert waiting().get().entry_id == "other"
    assert outbox.send_next()
    assert [json.loads(body)["entry"]["id"] for *_, body in upbeat.requests] == ["annual", "other"]


def test_two_senders_send_a_webhook_once(upbeat, offer, monkeypatch):
    post = outbox._post

    def meanwhile(webhook):
        assert not outbox.send_next()
        return post(webhook)

    monkeypatch.setattr(outbox, "_post", meanwhile)
    assert outbox.send_next()
    assert len(upbeat.requests) == 1


def test_a_database_that_is_busy_does_not_end_the_sender(upbeat, offer, monkeypatch):
    def busy(webhook):
        monkeypatch.undo()
        raise OperationalError("database is locked")

    monkeypatch.setattr(outbox, "_claim", busy)
    call_command("send_webhooks", once=True)
    assert waiting().exists()
    call_command("send_webhooks", once=True)
    assert not waiting()


def test_a_sender_that_was_killed_is_replaced(upbeat, offer):
    assert outbox._claim(Webhook.objects.get())
    assert not outbox.send_next()
    Webhook.objects.update(due_at=timezone.now())
    assert outbox.send_next()


def test_what_is_rolled_back_is_not_told(offer, upbeat):
    outbox.send_next()
    with transaction.atomic():
        offer.unpublish()
        transaction.set_rollback(True)
    assert not waiting()
    offer.refresh_from_db()
    assert offer.live


def test_old_answers_are_forgotten_but_for_the_newest(upbeat, offer):
    old = timezone.now() - timedelta(days=31)
    Webhook.objects.update(answered_at=old)
    for _ in range(2):
        Webhook.objects.create(event="published", kind="offer", entry_id="other", answered_at=old)
    newest = Webhook.objects.create(event="published", kind="offer", entry_id="other")
    assert outbox.send_next()
    assert [*Webhook.objects.all()] == [newest]
