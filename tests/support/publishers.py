"""Publishers for tests."""

from collections.abc import Sequence

from shared.contracts.outbound.message import Message
from shared.domain.errors import Transient


class Collected:
    """A publisher that keeps its messages, and fails while `broken` is set."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.broken = False

    async def publish(self, messages: Sequence[Message]) -> None:
        if self.broken and messages:
            raise Transient("the bus is gone")
        self.messages += messages
