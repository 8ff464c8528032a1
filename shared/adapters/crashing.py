"""A publisher for chaos tests that crashes at the most critical point: after the commit, before the publish."""

import os
from collections.abc import Sequence
from pathlib import Path

from shared.contracts.outbound.message import Message
from shared.ports import Publisher

EXIT_CODE = 70
"""`EX_SOFTWARE` of sysexits.h, which tells this crash from any other exit."""


class CrashingPublisher:
    """Exits the process instead of publishing, once each time `crash_file` is created."""

    def __init__(self, publisher: Publisher, crash_file: Path) -> None:
        self.publisher = publisher
        self.crash_file = crash_file

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish the messages. If `crash_file` exists, remove it and exit at once without any clean-up."""
        if messages and self._take_crash_file():
            os._exit(EXIT_CODE)
        await self.publisher.publish(messages)

    def _take_crash_file(self) -> bool:
        """Remove the file atomically, so that only one of several processes crashes. False if there is none."""
        try:
            self.crash_file.unlink()
        except FileNotFoundError:
            return False
        return True
