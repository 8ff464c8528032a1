"""Coalescing: what is asked for while a request is under way shares the next, and everybody gets their answer."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.coalescer import Coalescer, Limits

WIDE = Limits(items=100, size=1000, seconds=30)


class Wire:
    """Takes requests, and answers them when it is told to: to each item, its double."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []
        self.under_way: list[asyncio.Future[None]] = []

    async def send(self, items: list[int]) -> list[int]:
        self.sent.append(items)
        self.under_way.append(asyncio.get_running_loop().create_future())
        await self.under_way[-1]
        return [2 * item for item in items]

    async def answer(self, error: Exception | None = None) -> None:
        """Answer the oldest request, and wait until the next one is sent."""
        request = self.under_way.pop(0)
        if error:
            request.set_exception(error)
        else:
            request.set_result(None)
        await settle()

    async def answer_all(self) -> None:
        await settle()
        while self.under_way:
            await self.answer()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def coalescer(
    wire: Wire,
    limits: Limits = WIDE,
    size_of: Callable[[int], int] = lambda _: 1,
    key_of: Callable[[int], object] = lambda item: item,
    refused: type[Exception] = ZeroDivisionError,
) -> Coalescer[int, int]:
    return Coalescer(wire.send, limits, size_of, key_of, lambda error: isinstance(error, refused))


async def test_what_finds_no_request_under_way_is_sent_at_once(wire) -> None:
    asked = coalescer(wire).ask(1)
    await settle()
    assert wire.sent == [[1]]
    await wire.answer()
    assert await asked == 2


async def test_what_is_asked_for_at_the_same_moment_shares_a_request(wire) -> None:
    shared = coalescer(wire)
    asked = [shared.ask(item) for item in (1, 2, 3)]
    await wire.answer_all()
    assert wire.sent == [[1, 2, 3]]
    assert await asyncio.gather(*asked) == [2, 4, 6]


async def test_what_comes_meanwhile_shares_the_next_request(wire) -> None:
    shared = coalescer(wire)
    asked = [shared.ask(1)]
    await settle()
    asked += [shared.ask(item) for item in (2, 3, 4)]
    await settle()
    assert wire.sent == [[1]]
    await wire.answer()
    assert wire.sent == [[1], [2, 3, 4]]
    await wire.answer()
    assert await asyncio.gather(*asked) == [2, 4, 6, 8]
    await settle()
    assert wire.sent == [[1], [2, 3, 4]]


async def test_a_request_has_a_bound_of_items_and_of_sizes(wire) -> None:
    shared = coalescer(wire, Limits(items=3, size=10, seconds=30), size_of=lambda item: item)
    asked = [shared.ask(item) for item in (9, 1, 2, 3, 4, 8, 50, 5)]
    await wire.answer_all()
    assert wire.sent == [[9, 1], [2, 3, 4], [8], [50], [5]]
    assert await asyncio.gather(*asked) == [18, 2, 4, 6, 8, 16, 100, 10]


async def test_a_request_never_holds_one_key_twice(wire) -> None:
    shared = coalescer(wire, key_of=lambda item: item % 10)
    asked = [shared.ask(item) for item in (1, 12, 22, 3, 32)]
    await wire.answer_all()
    assert wire.sent == [[1, 12, 3], [22], [32]]
    assert await asyncio.gather(*asked) == [2, 24, 44, 6, 64]


async def test_whoever_gives_up_while_waiting_is_never_sent(wire) -> None:
    shared = coalescer(wire)
    first = shared.ask(1)
    await settle()
    second, third = shared.ask(2), shared.ask(3)
    second.cancel()
    await wire.answer_all()
    assert wire.sent == [[1], [3]]
    assert await asyncio.gather(first, third) == [2, 6]


async def test_whoever_gives_up_takes_no_answer_from_the_others(wire) -> None:
    shared = coalescer(wire)
    first = shared.ask(0)
    await settle()
    callers = [asyncio.create_task(wait_for(shared, item)) for item in (1, 2, 3)]
    await settle()
    await wire.answer()
    assert wire.sent[-1] == [1, 2, 3]
    callers[1].cancel()
    await wire.answer()
    assert await first == 0
    assert await asyncio.gather(callers[0], callers[2]) == [2, 6]
    assert callers[1].cancelled()


async def wait_for(shared: Coalescer[int, int], item: int) -> int:
    return await shared.ask(item)


async def test_the_error_of_a_request_goes_to_those_who_shared_it_and_to_nobody_else(wire) -> None:
    shared = coalescer(wire)
    asked = [shared.ask(1)]
    await settle()
    asked += [shared.ask(item) for item in (2, 3)]
    await settle()
    await wire.answer()
    after = shared.ask(4)
    await wire.answer(ConnectionError("cut"))
    await wire.answer_all()
    assert await asked[0] == 2
    for failed in asked[1:]:
        with pytest.raises(ConnectionError, match="cut"):
            await failed
    assert await after == 8
    assert wire.sent == [[1], [2, 3], [4]]


async def test_a_refused_request_is_sent_again_item_by_item(wire) -> None:
    async def send(items: list[int]) -> list[int]:
        wire.sent.append(items)
        if 3 in items:
            raise ValueError("3 is no item")
        return [2 * item for item in items]

    shared = Coalescer(send, WIDE, lambda _: 1, is_refusal=lambda error: isinstance(error, ValueError))
    asked = [shared.ask(item) for item in (1, 2, 3, 4)]
    first, second, third, fourth = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, second, fourth) == (2, 4, 8)
    assert isinstance(third, ValueError)
    assert wire.sent == [[1, 2, 3, 4], [1], [2], [3], [4]]
    assert await shared.ask(5) == 10


async def test_a_request_without_an_answer_ends_in_time_and_the_next_one_is_sent(wire) -> None:
    shared = coalescer(wire, WIDE._replace(seconds=0.01))
    silent = shared.ask(1)
    await settle()
    waiting = shared.ask(2)
    with pytest.raises(TimeoutError):
        await silent
    await settle()
    assert wire.sent == [[1], [2]]
    wire.under_way[-1].set_result(None)
    assert await waiting == 4


async def test_an_answer_too_few_is_an_error_of_all_and_leaves_nobody_waiting() -> None:
    async def send(items: list[int]) -> list[int]:
        return items[1:]

    shared = Coalescer(send, WIDE, lambda _: 1)
    with pytest.raises(ValueError, match="shorter"):
        await shared.ask(1)


ITEMS = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=40)


@given(ITEMS, st.integers(1, 5), st.integers(1, 20))
def test_everybody_is_sent_once_within_the_bounds_and_gets_their_own_answer(asking, most, size) -> None:
    async def run() -> None:
        wire = Wire()
        shared = coalescer(wire, Limits(most, size, seconds=30), size_of=lambda item: item)
        asked: list[tuple[int, asyncio.Future[int]]] = []
        for item, answers_first in asking:
            if answers_first and wire.under_way:
                await wire.answer()
            asked.append((item, shared.ask(item)))
            await settle()
        await wire.answer_all()
        assert [await future for _, future in asked] == [2 * item for item, _ in asked]
        assert sorted(item for request in wire.sent for item in request) == sorted(item for item, _ in asking)
        for request in wire.sent:
            assert len(request) <= most
            assert len(set(request)) == len(request)
            assert len(request) == 1 or sum(request) <= size

    asyncio.run(run())
