"""A publisher that stands for the worst moment to crash: after the commit, before the publish."""

import os
from collections.abc import Sequence
from pathlib import Path

from shared.contracts.outbound.messages import Message
from shared.ports import Publisher

EXIT_CODE = 70


class CrashingPublisher:
    """Ends the process instead of publishing, once for each time the file is made; for chaos tests."""

    def __init__(self, publisher: Publisher, fuse: Path) -> None:
        self.publisher = publisher
        self.fuse = fuse

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish, unless the fuse is there: then take it away and exit without another step."""
        if messages and self._burn():
            os._exit(EXIT_CODE)
        await self.publisher.publish(messages)

    def _burn(self) -> bool:
        """Take the fuse away in one step, so that of several processes one alone crashes."""
        try:
            self.fuse.unlink()
        except FileNotFoundError:
            return False
        return True
