"""The system clock, and one that runs ahead of it for local emulators."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class MovedClock:
    """The clock of the machine, ahead by the seconds that a file says. It follows every change of the file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        """See `Clock.now`. Raises `OSError` or `ValueError` if the file has no number."""
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))
