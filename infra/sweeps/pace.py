"""The pace of a sweep: at most so many messages a second, and the wait until the functions have the catalog."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from infra.sweeps.sweep import PAGE_SIZE


class Pace:
    """At most `per_second` messages a second, as `pause` for `carry_out`."""

    def __init__(
        self,
        per_second: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.page_size = max(1, min(PAGE_SIZE, int(per_second)))
        """A page of at most a second's messages, so that the pace is even."""
        self._per_second = per_second
        self._sleep, self._clock = sleep, clock
        self._began_at = clock()
        self._count = 0

    def __call__(self, messages: int) -> None:
        """Sleep until these messages and those before are due at this pace."""
        self._count += messages
        ahead = self._began_at + self._count / self._per_second - self._clock()
        if ahead > 0:
            self._sleep(ahead)


def settles_at(published_at: datetime, refresh: timedelta, longest_commit: timedelta) -> datetime:
    """The instant from which no function commits what an earlier catalog decided.

    An instance keeps a catalog for one refresh, and an event that has begun with it may commit up to its time-out.
    """
    return published_at + refresh + longest_commit


def wait_for(
    duration: timedelta, progress: Callable[[float], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Sleep for a while, second by second, and report the share that is over."""
    seconds = duration.total_seconds()
    slept = 0.0
    while slept < seconds:
        step = min(1.0, seconds - slept)
        sleep(step)
        slept += step
        progress(min(1.0, slept / seconds))
