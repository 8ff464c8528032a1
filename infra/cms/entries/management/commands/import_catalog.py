"""`manage.py import_catalog`: publish the entries of a catalog file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from entries.imported import take_over
from infra.strict_yaml import InvalidYaml, read_yaml
from shared.decisioning.compile import compile_catalog
from shared.domain.errors import InvalidCatalog


class Command(BaseCommand):
    """The command."""

    help = "Publish the entries of a catalog file. Entries that it lacks stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """See `BaseCommand`."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--user", required=True, help="the user who is named as their author")

    def handle(self, file: Path, user: str, **_: Any) -> None:
        """See `BaseCommand`. Raises `CommandError`."""
        author = get_user_model().objects.filter(username=user).first()
        if author is None:
            raise CommandError(f"--user: expected a user of this site, found {user!r}")
        try:
            content = json.loads(json.dumps(read_yaml(file.read_bytes()), default=str))
            compile_catalog(content)
        except (OSError, InvalidYaml, InvalidCatalog) as error:
            raise CommandError(f"{file}: {error}") from error
        self.stdout.write(f"{take_over(content, author)} entries published")
