"""Counts the funnels of campaigns while the raw log is read; safe to use from several threads."""

import threading

from infra.inspect.funnel import CampaignFunnel, Funnels
from infra.raw.follower import LogMessage


class FunnelObserver:
    """An observer of a raw log that counts what its messages tell of campaigns."""

    def __init__(self) -> None:
        self._funnels = Funnels()
        self._lock = threading.Lock()

    def __call__(self, message: LogMessage) -> None:
        """Count a message."""
        if message.body is not None:
            with self._lock:
                self._funnels.add(message.topic, message.body)

    def campaigns(self) -> list[CampaignFunnel]:
        """The funnels of every campaign, as of now."""
        with self._lock:
            return self._funnels.campaigns()

    @property
    def malformed(self) -> int:
        """The messages that could not be counted."""
        return self._funnels.malformed
