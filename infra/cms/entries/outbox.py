"""Webhooks to Upbeat: kept in a table in one transaction with what they are about, and sent until they arrive.

https://microservices.io/patterns/data/transactional-outbox.html
"""

import hmac
import json
import logging
import time
from datetime import timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.db.models import Q
from django.db.models.signals import post_delete
from django.utils import timezone
from wagtail.log_actions import get_active_log_context
from wagtail.signals import published, unpublished

from entries.models import CatalogEntry, Webhook

log = logging.getLogger(__name__)

PUBLISHED, UNPUBLISHED = "published", "unpublished"
SECONDS = 60.0
"""The bound on one attempt: Upbeat answers once it has read and checked all entries."""
LEASE = timedelta(minutes=2)
"""The time after which an attempt counts as dead: longer than one may last."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=10)
KEPT = timedelta(days=30)
"""The time for which an answered webhook is kept, to be looked up."""
MAX_ANSWER = 10_000
"""The most bytes of an answer that are kept."""
INVALID = 422
"""The status that says that Upbeat has read the entries, and that they have mistakes."""


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects: the body and its signature are for one address."""

    def redirect_request(self, *_: Any) -> None:
        """See `HTTPRedirectHandler`."""
        return


_open = build_opener(_NoRedirect).open


def connect() -> None:
    """Have every publication and every end of one keep a webhook, in the same transaction."""
    published.connect(_on_published)
    unpublished.connect(_on_unpublished)
    post_delete.connect(_on_deleted)


def signature(secret: str, milliseconds: int, body: bytes) -> str:
    """The header that proves the sender and the time of a webhook."""
    digest = hmac.new(secret.encode(), f"{milliseconds}.".encode() + body, "sha256").hexdigest()
    return f"t={milliseconds},v1={digest}"


def send_next() -> bool:
    """Send the newest webhook, if it is due. True if one was sent, whatever the answer."""
    webhook = Webhook.objects.filter(answered_at=None).order_by("-pk").first()
    now = timezone.now()
    if webhook is None or webhook.due_at > now or not settings.WEBHOOK_URL or not _claim(webhook):
        return False
    is_answered, answer = _post(webhook)
    webhook.answer = answer
    if is_answered:
        webhook.save(update_fields=["answer"])
        served = Q(pk=webhook.pk) | Q(pk__lt=webhook.pk, event=PUBLISHED)
        Webhook.objects.filter(served, answered_at=None).update(answered_at=timezone.now())
        _forget_old()
    else:
        webhook.due_at = timezone.now() + min(FIRST_WAIT * 2 ** min(webhook.attempts, 20), LONGEST_WAIT)
        webhook.save(update_fields=["answer", "due_at"])
        log.warning("webhook %s: attempt %s failed: %s", webhook.pk, webhook.attempts, answer[:200])
    return True


def _claim(webhook: Webhook) -> bool:
    """True if no other process sends the webhook now."""
    seen = Webhook.objects.filter(pk=webhook.pk, answered_at=None, due_at=webhook.due_at)
    webhook.attempts += 1
    return seen.update(due_at=timezone.now() + LEASE, attempts=webhook.attempts) == 1


def _post(webhook: Webhook) -> tuple[bool, str]:
    """True if Upbeat has read the entries; and its answer or the error."""
    entry = {"type": webhook.kind, "id": webhook.entry_id}
    by = {"by": webhook.by} if webhook.by else {}
    body = json.dumps({"event": webhook.event, "entry": entry, **by}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Upbeat-Signature": signature(settings.WEBHOOK_SECRET, time.time_ns() // 1_000_000, body),
    }
    request = Request(settings.WEBHOOK_URL, body, headers)  # noqa: S310 - settings allow https, and http to this machine
    try:
        with _open(request, timeout=SECONDS) as answer:
            return True, _text(answer)
    except HTTPError as error:
        with error:
            return error.code == INVALID, f"HTTP status {error.code}: {_text(error)}"
    except (OSError, HTTPException) as error:
        return False, f"{type(error).__name__}: {error}"[:MAX_ANSWER]


def _text(answer: Any) -> str:
    return answer.read(MAX_ANSWER).decode(errors="replace")


def _forget_old() -> None:
    """Delete what was answered long ago, but not the newest: its number says in which state the entries are."""
    newest = Webhook.objects.order_by("-pk").values_list("pk", flat=True)[:1]
    Webhook.objects.filter(answered_at__lt=timezone.now() - KEPT).exclude(pk__in=[*newest]).delete()


def _on_published(instance: Any, **_: Any) -> None:
    if isinstance(instance, CatalogEntry) and instance.live:
        _keep(PUBLISHED, instance)


def _on_unpublished(instance: Any, **_: Any) -> None:
    if isinstance(instance, CatalogEntry):
        _keep(UNPUBLISHED, instance, get_active_log_context().user)


def _on_deleted(instance: Any, **_: Any) -> None:
    if isinstance(instance, CatalogEntry) and instance.live:
        _keep(UNPUBLISHED, instance, get_active_log_context().user)


def _keep(event: str, entry: CatalogEntry, user: Any = None) -> None:
    by = user.get_username() if user else ""
    Webhook.objects.create(event=event, kind=entry.kind(), entry_id=entry.entry_id, by=by)
