"""Saves what the emulators hold into a folder, and finds it there again.

The folder has Firestore's export as the emulator writes it (`firestore/`), the raw log (`raw/`), and the time of
the functions' clock (`now`). Messages that Pub/Sub has not delivered yet are not in it.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from infra.errors import InfraError, UsageError
from infra.raw.folder import RAW
from infra.remote.endpoints import Endpoints
from shared.contracts.outbound.base import rfc3339

FIRESTORE = "firestore"
METADATA = f"{FIRESTORE}/{FIRESTORE}.overall_export_metadata"
NOW = "now"
EXPORT_SECONDS = 300.0
"""The timeout of an export, which takes about a second for 10,000 users."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The parts of a folder that `save` has written."""

    folder: Path
    now: datetime
    """The time of the functions' clock when it was saved (UTC)."""

    @property
    def firestore_export(self) -> Path:
        """The file that the Firestore emulator starts from."""
        return (self.folder / METADATA).absolute()

    def restore_raw(self, folder: Path) -> None:
        """Copy the raw log into a state folder."""
        shutil.copytree(self.folder / RAW, folder / RAW, dirs_exist_ok=True)


def find_saved(folder: Path) -> Saved:
    """The saved parts in a folder. Raises `UsageError` for a folder that holds nothing saved."""
    try:
        now = datetime.fromisoformat((folder / NOW).read_text().strip())
    except (OSError, ValueError):
        now = None
    if now is None or not (folder / METADATA).is_file():
        raise UsageError(f"--import: expected a folder of --export-on-exit with {METADATA}, found {str(folder)!r}")
    return Saved(folder, now)


def save(folder: Path, endpoints: Endpoints, raw: Path, now: datetime) -> None:
    """Save everything, in the place of what an earlier run has saved. Raises `InfraError` if that fails."""
    with _replaced(folder) as draft:
        _export_firestore(endpoints, draft)
        shutil.copytree(raw, draft / RAW)
        (draft / NOW).write_text(f"{rfc3339(now)}\n")


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of `folder` once it is whole."""
    draft, before = folder.with_name(f"{folder.name}.draft"), folder.with_name(f"{folder.name}.before")
    try:
        for left_behind in (draft, before):
            shutil.rmtree(left_behind, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        if folder.exists():
            folder.rename(before)
        draft.rename(folder)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        raise InfraError(f"{folder}: cannot save into it: {error}") from error


def _export_firestore(endpoints: Endpoints, folder: Path) -> None:
    database = f"projects/{endpoints.project}/databases/(default)"
    body = {"database": database, "export_directory": str(folder.absolute()), "export_name": FIRESTORE}
    url = f"http://{endpoints.firestore_host}/emulator/v1/projects/{endpoints.project}:export"
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=EXPORT_SECONDS):  # noqa: S310 - always http on this machine
            pass
    except URLError as error:
        raise InfraError(f"the Firestore emulator cannot be exported: {error}") from error
