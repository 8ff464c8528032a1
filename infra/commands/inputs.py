"""What a person gives to a command, checked before anything is done with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from shared.decisioning.catalog import Catalog
    from shared.domain.moments import MomentSelector


def instant(option: str, text: str | None) -> datetime | None:
    """An instant in UTC, or None where none is given. Raises `UsageError`."""
    from shared.contracts.inbound.fields import utc

    try:
        return None if text is None else utc(text)
    except ValueError:
        expected = "an RFC 3339 time with offset, from 1990 to 9999, such as 2026-03-01T00:00:00Z"
        raise UsageError(f"{option}: expected {expected}, found {text!r}") from None


def moment(text: str | None) -> "MomentSelector | None":
    """The moment that a person names, `payment.failed` or `lapsed@7`. Raises `UsageError`."""
    from shared.decisioning.document.vocabulary import parse_selector

    try:
        return None if text is None else parse_selector(text)
    except ValueError as error:
        raise UsageError(f"--moment: expected {error}, found {text!r}") from None


def readable(path: Path, kind: str) -> Path:
    """The path, if a file is there that can be read. Raises `UsageError`."""
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise UsageError(f"{path}: expected {kind}, found none that can be read ({error.strerror})") from None


def valid_catalog(path: Path) -> "Catalog":
    """The catalog in a file. Raises `UsageError` with every problem it has."""
    from infra.catalog.load import load_catalog
    from shared.domain.errors import InvalidCatalog

    try:
        return load_catalog(readable(path, "a catalog"))
    except InvalidCatalog as error:
        raise UsageError(f"{path}: {error}") from error


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Raises `InfraError` with the reason where something cannot be written."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise InfraError(f"{folder}: expected a folder to write into, found {place}: {error.strerror}") from error
