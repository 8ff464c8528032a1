"""The clock of the running emulators: ahead of the machine's by what a file in the state folder says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.errors import InfraError
from infra.whole_file import replace_text

CLOCK_FILE = "clock"
"""The name of the file in the state folder."""
SETTING = "UPBEAT_CLOCK_FILE"
"""The setting by which functions find the file."""


class RunningClock:
    """Reads and moves the clock that all local functions follow. It never goes back."""

    def __init__(self, folder: Path) -> None:
        self.file = (folder / CLOCK_FILE).absolute()

    @property
    def ahead(self) -> timedelta:
        """By how much it is ahead of the machine's clock; not at all without the file."""
        try:
            return timedelta(seconds=float(self.file.read_text()))
        except FileNotFoundError:
            return timedelta(0)
        except ValueError:
            raise InfraError(f"{self.file}: expected a number of seconds, found something else") from None

    def now(self) -> datetime:
        """The present instant of the functions (UTC)."""
        return datetime.now(UTC) + self.ahead

    def start_at(self, instant: datetime | None) -> None:
        """Begin at an instant; None: at the machine's own time."""
        self._write(instant - datetime.now(UTC) if instant else timedelta(0))

    def move_to(self, instant: datetime) -> None:
        """Move to a later instant. Raises `InfraError` for an earlier one: no user's time ever goes back."""
        now = self.now()
        if instant < now:
            expected = f"a time after the clock's, {now:%Y-%m-%dT%H:%M:%SZ}"
            raise InfraError(
                f"expected {expected}, found {instant:%Y-%m-%dT%H:%M:%SZ}; start anew for an earlier one"
            )
        self._write(self.ahead + (instant - now))

    def _write(self, ahead: timedelta) -> None:
        replace_text(self.file, f"{ahead.total_seconds():.6f}\n")
