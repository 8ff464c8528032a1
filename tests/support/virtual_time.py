"""An event loop on virtual time: sleeping takes no real time."""

import asyncio
import selectors


class _VirtualSelector(selectors.DefaultSelector):
    """Adds up the seconds that the loop would wait for, and returns at once."""

    elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is scheduled: the coroutine would wait forever")
        self.elapsed += max(timeout, 0.0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop for coroutines that use no sockets. The back-off between two attempts then costs nothing."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.elapsed
