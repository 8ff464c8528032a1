"""A time axis: instants as shares of a width, and the instants that are labelled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MOST_TICKS = 7
DAY = timedelta(days=1)
STEPS_OF_DAYS = tuple(DAY * days for days in (1 / 24, 1 / 8, 1 / 4, 1 / 2, 1, 2, 7, 14))
STEPS_OF_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000, 24000)
A_SUNDAY = datetime(1989, 12, 31, tzinfo=UTC)
"""An instant at which every step of days begins; a week begins on it."""


class Tick(NamedTuple):
    """A labelled instant."""

    at: datetime
    label: str


class Axis(NamedTuple):
    """The time from `begins` to `ends` (UTC), which is later."""

    begins: datetime
    ends: datetime

    def share(self, at: datetime) -> float:
        """The place of an instant: 0 at the beginning, 1 at the end; clipped to these."""
        return min(1.0, max(0.0, (at - self.begins) / (self.ends - self.begins)))

    def holds(self, at: datetime) -> bool:
        """True for an instant of the axis."""
        return self.begins <= at <= self.ends

    def ticks(self) -> list[Tick]:
        """At most `MOST_TICKS` instants and one more, at whole hours, days, weeks, months or years."""
        length = self.ends - self.begins
        for step in STEPS_OF_DAYS:
            if length <= step * MOST_TICKS:
                label = "%d %b %H:%M" if step < DAY else "%d %b"
                return [Tick(at, f"{at:{label}}") for at in self._each(step)]
        months = self._months()
        step_of_months = next(one for one in STEPS_OF_MONTHS if months <= one * MOST_TICKS)
        label = "%Y" if step_of_months % 12 == 0 else "%b %Y"
        return [Tick(at, f"{at:{label}}") for at in self._each_month(step_of_months)]

    def _months(self) -> int:
        """The beginnings of months on the axis."""
        return (self.ends.year - self.begins.year) * 12 + self.ends.month - self.begins.month

    def _each(self, step: timedelta) -> Iterator[datetime]:
        at = A_SUNDAY - step * ((A_SUNDAY - self.begins) // step)
        while at <= self.ends:
            yield at
            at += step

    def _each_month(self, step: int) -> Iterator[datetime]:
        number = -(-(self.begins.year * 12 + self.begins.month - 1) // step) * step
        while number // 12 <= self.ends.year:
            at = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
            if self.holds(at):
                yield at
            number += step
