"""The application of Django, and what it does when the site starts."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EntriesConfig(AppConfig):
    """The application `entries`."""

    name = "entries"
    verbose_name = "Catalog"

    def ready(self) -> None:
        """Connect the signals of Wagtail and Django."""
        from entries import access, outbox  # noqa: PLC0415 - both need the models, which are loaded by now

        outbox.connect()
        post_migrate.connect(access.ensure, sender=self)
