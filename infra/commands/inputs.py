"""Checks of arguments and input files, made before a command acts on them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from infra.raw.by_user import Wanted
    from shared.decisioning.catalog import Catalog
    from shared.domain.moments import MomentSelector
    from shared.domain.terms import Terms


def instant(option: str, text: str | None) -> datetime | None:
    """The value of an option as an instant in UTC; None if the option is not given. Raises `UsageError`."""
    from shared.contracts.inbound.fields import utc

    try:
        return None if text is None else utc(text)
    except ValueError:
        expected = "an RFC 3339 time with offset, from 1990 to 9999, such as 2026-03-01T00:00:00Z"
        raise UsageError(f"{option}: expected {expected}, found {text!r}") from None


def moment(text: str | None) -> "MomentSelector | None":
    """The value of --moment, such as `payment.failed` or `lapsed@7`; None if not given. Raises `UsageError`."""
    from shared.decisioning.document.vocabulary import parse_selector

    try:
        return None if text is None else parse_selector(text)
    except ValueError as error:
        raise UsageError(f"--moment: expected {error}, found {text!r}") from None


def deployment_terms() -> "Terms":
    """The terms of business in the environment (`UPBEAT_GRACE_DAYS` and so on), as functions read them.

    Raises `UsageError`.
    """
    from shared.settings import InvalidSettings, read_terms

    try:
        return read_terms(os.environ)
    except InvalidSettings as error:
        raise UsageError(str(error)) from None


def process_sandbox() -> bool:
    """True if functions process events of test environments (`UPBEAT_PROCESS_SANDBOX`). Raises `UsageError`."""
    from shared.settings import InvalidSettings, read_process_sandbox

    try:
        return read_process_sandbox(os.environ)
    except InvalidSettings as error:
        raise UsageError(str(error)) from None


def catalog_refresh() -> timedelta:
    """The age at which functions read the catalog again (`UPBEAT_CATALOG_SECONDS`). Raises `UsageError`."""
    from shared.settings import InvalidSettings, read_catalog_seconds

    try:
        return timedelta(seconds=read_catalog_seconds(os.environ))
    except InvalidSettings as error:
        raise UsageError(str(error)) from None


def readable(path: Path, kind: str) -> Path:
    """The path of a readable file. Raises `UsageError` for any other path."""
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise UsageError(f"{path}: expected {kind}, found none that can be read ({error.strerror})") from None


def valid_catalog(path: Path) -> "Catalog":
    """The catalog in a file. Raises `UsageError` with every problem that the catalog has."""
    from infra.catalog.load import load_catalog
    from shared.domain.errors import InvalidCatalog

    try:
        return load_catalog(readable(path, "a catalog"))
    except InvalidCatalog as error:
        raise UsageError(f"{path}: {error}") from error


def named_catalog(name: str, project: str | None) -> "Catalog":
    """The catalog of a file, or a published one of the running emulators or of a cloud project.

    A file comes first; else a number, a version and `current` name a published catalog. Raises `UsageError` with
    every problem that the catalog has, and `InfraError` if Firestore fails.
    """
    from infra.remote import stored_catalog
    from infra.remote.firestore import client_of

    if Path(name).exists() or not stored_catalog.is_name(name):
        return valid_catalog(Path(name))
    return stored_catalog.named_catalog(client_of(project), name)


def wanted_messages(users: Path | None, until: "datetime | None") -> "Wanted":
    """The messages of the users in a file (None: of all), published before an instant. Raises `UsageError`."""
    from infra.raw.by_user import Wanted
    from shared.contracts.inbound.fields import ID_IN_WORDS, is_id

    if users is None:
        return Wanted(None, until)
    lines = readable(users, "a file of users' ids").read_bytes().decode(errors="replace").split("\n")
    ids = frozenset(line.strip() for line in lines if line.strip())
    if wrong := [one for one in sorted(ids) if not is_id(one)]:
        raise UsageError(f"{users}: expected users' ids ({ID_IN_WORDS}), found {wrong[0][:80]!r}")
    return Wanted(ids, until)


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into an `InfraError` that names the file and the reason."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise InfraError(f"{folder}: expected a folder to write into, found {place}: {error.strerror}") from error


def fields_of(changes: list[str]) -> dict[str, Any]:
    """The fields of --set, as NAME=VALUE. A value that is no JSON is text. Raises `UsageError`."""
    fields: dict[str, Any] = {}
    for change in changes:
        name, is_pair, value = change.partition("=")
        if not (name and is_pair):
            raise UsageError(f"--set: expected FIELD=VALUE, found {change!r}")
        try:
            fields[name] = json.loads(value)
        except ValueError:
            fields[name] = value
    return fields
