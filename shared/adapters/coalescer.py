"""Coalescing: while a request is under way, what is asked for meanwhile waits and shares the next request."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Waiting = tuple[Item, asyncio.Future[Answer]]
"""An item, and the answer to it."""


class Limits(NamedTuple):
    """The bounds of one request."""

    items: int
    """The number of items."""
    size: int
    """The sum of the items' sizes. An item that exceeds it alone is sent alone."""
    seconds: float
    """The time after which the request fails with `TimeoutError`."""


class Coalescer(Generic[Item, Answer]):
    """Sends single items in shared requests, of which one is under way at a time.

    What finds no request under way is sent at once, so no timer is needed, and a quiet instance waits for nobody.
    Whoever waits for an answer may be cancelled: an item that is not sent yet is then never sent, and a request
    under way goes on for the others.
    """

    def __init__(
        self,
        send: Callable[[list[Item]], Awaitable[Sequence[Answer]]],
        limits: Limits,
        size_of: Callable[[Item], int],
        key_of: Callable[[Item], Hashable] = id,
        is_refusal: Callable[[Exception], bool] = lambda _: False,
    ) -> None:
        self._send = send
        """Sends items in one request, and returns the answer to each, in their order."""
        self._limits = limits
        self._size_of = size_of
        self._key_of = key_of
        """The key of an item. A request never holds two items with one key."""
        self._is_refusal = is_refusal
        """True for an error that a single item may have caused: the items are then sent again, each by itself."""
        self._waiting: list[Waiting[Item, Answer]] = []
        self._sender: asyncio.Task[None] | None = None
        """Sends one request after the other; None while nothing waits."""

    def ask(self, item: Item) -> asyncio.Future[Answer]:
        """The answer to an item, or the error of the request in which it was sent."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return future

    async def _send_all(self) -> None:
        """Send what waits, as much at a time as one request takes, until nothing waits."""
        try:
            while batch := self._take():
                await self._answer(batch)
        finally:
            self._sender = None

    def _take(self) -> list[Waiting[Item, Answer]]:
        """The items of the next request, in the order in which they came. The first is always among them."""
        batch: list[Waiting[Item, Answer]] = []
        left: list[Waiting[Item, Answer]] = []
        size, keys = 0, set()
        for item, future in self._waiting:
            if future.cancelled():
                continue
            key, own_size = self._key_of(item), self._size_of(item)
            has_room = len(batch) < self._limits.items and size + own_size <= self._limits.size
            if not batch or (has_room and key not in keys):
                batch.append((item, future))
                size += own_size
                keys.add(key)
            else:
                left.append((item, future))
        self._waiting = left
        return batch

    async def _answer(self, batch: list[Waiting[Item, Answer]]) -> None:
        """Send one request, and pass on its answers or its error to those who still wait."""
        try:
            async with asyncio.timeout(self._limits.seconds):
                answers = await self._send([item for item, _ in batch])
            answered = list(zip(batch, answers, strict=True))
        except asyncio.CancelledError:
            for _, future in batch:
                future.cancel()
            raise
        except Exception as error:
            if len(batch) > 1 and self._is_refusal(error):
                await asyncio.gather(*(self._answer([one]) for one in batch))
                return
            for _, future in batch:
                if not future.cancelled():
                    future.set_exception(error)
            return
        for (_, future), answer in answered:
            if not future.cancelled():
                future.set_result(answer)
