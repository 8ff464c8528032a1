"""`manage.py send_webhooks`: tell Upbeat of what is published, until it is stopped."""

import logging
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError

from entries.outbox import send_next

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 0.5


class Command(BaseCommand):
    """The command."""

    help = "Send the webhooks that wait, and those to come. Run one of it beside the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `BaseCommand`."""
        parser.add_argument("--once", action="store_true", help="send what is due, and end")

    def handle(self, *, once: bool, **_: Any) -> None:
        """See `BaseCommand`."""
        while True:
            is_sent = self._send()
            if once and not is_sent:
                return
            if not is_sent:
                time.sleep(SECONDS_BETWEEN)

    def _send(self) -> bool:
        try:
            return send_next()
        except OperationalError as error:  # a database that is locked for longer than its time-out, for example
            log.warning("the webhooks wait: %s", error)
            return False
