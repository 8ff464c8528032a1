"""Messages between the site and Upbeat: webhooks to send, and mistakes that were reported."""

from django.db import models
from django.utils import timezone


class Webhook(models.Model):
    """A message to Upbeat that an entry was published or unpublished, kept until Upbeat has answered.

    Upbeat then reads all entries. So the newest message serves the publications before it.
    """

    event = models.CharField(max_length=16)
    """`published` or `unpublished`."""
    kind = models.CharField(max_length=32)
    """The type of the entry."""
    entry_id = models.CharField(max_length=64)
    by = models.CharField(max_length=254, blank=True)
    """The user who unpublished it; empty for a publication, whose author the entry itself tells."""
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    """The time (UTC) before which it is not sent."""
    attempts = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, db_index=True)
    """The time (UTC) of Upbeat's answer; None while it waits."""
    answer = models.TextField(blank=True)
    """The last answer, or the error of the last attempt."""

    def __str__(self) -> str:
        """The entry it is about."""
        return f"{self.event} {self.kind}/{self.entry_id}"


class Mistake(models.Model):
    """A mistake that Upbeat found in what is published."""

    kind = models.CharField(max_length=32, blank=True)
    """The type of the entry; empty if the mistake is in no entry."""
    entry_id = models.CharField(max_length=64, blank=True)
    path = models.TextField(blank=True)
    expected = models.TextField(blank=True)
    found = models.TextField(blank=True)
    message = models.TextField()

    class Meta:
        """Options of the model."""

        indexes = [models.Index(fields=["kind", "entry_id"])]

    def __str__(self) -> str:
        """The sentence."""
        return self.message


class Report(models.Model):
    """The newest report of Upbeat; there is one row at most."""

    version = models.CharField(max_length=64, blank=True)
    """The version of the catalog that the entries make; empty if there are mistakes."""
    reported_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        """The version."""
        return self.version
