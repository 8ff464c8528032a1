"""`manage.py demo`: the site on this machine, with people and the shipped catalog in it."""

import secrets
from argparse import ArgumentParser
from pathlib import Path
from threading import Thread
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from entries.access import APPROVERS, EDITORS
from entries.models import Campaign

PEOPLE = {"editor": EDITORS, "approver": APPROVERS, "admin": None}
"""The group of each; the administrator needs none."""
CATALOG = Path(settings.ROOT) / "infra/catalog/default.yaml"


class Command(BaseCommand):
    """The command."""

    help = "Run the site on 127.0.0.1, with demo users and the shipped catalog. Needs CMS_DEBUG=true."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `BaseCommand`."""
        parser.add_argument("--port", type=int, default=8800)

    def handle(self, port: int, **_: Any) -> None:
        """See `BaseCommand`. Raises `CommandError`."""
        if not settings.DEBUG:
            raise CommandError("CMS_DEBUG: expected true, since the demo makes users, found false")
        Path(settings.DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0)
        for name, group in PEOPLE.items():
            self._add(name, group)
        if not Campaign.objects.exists():
            call_command("import_catalog", CATALOG, user="admin", stdout=self.stdout)
        settings.WAGTAILADMIN_BASE_URL = f"http://127.0.0.1:{port}"
        self.stdout.write(f"{settings.WAGTAILADMIN_BASE_URL}/admin/ (Ctrl-C ends it)")
        self.stdout.flush()
        Thread(target=call_command, args=["send_webhooks"], daemon=True).start()
        call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)

    def _add(self, name: str, group: str | None) -> None:
        users = get_user_model().objects
        if users.filter(username=name).exists():
            return
        password = secrets.token_urlsafe(12)
        if group is None:
            users.create_superuser(name, password=password)
        else:
            users.create_user(name, password=password).groups.add(Group.objects.get(name=group))
        self.stdout.write(f"user {name}, password {password}")
