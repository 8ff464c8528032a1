"""The body of a request within its bound, however it is divided into chunks."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from shared.entrypoints.body import KEPT_BYTES, read_body

LIMIT = 2 * KEPT_BYTES
FIRST, LAST = b'{"message": {"messageId": "17", "data": "', b'", "message_id": "23"}}'


def request(body: bytes, cuts: list[int]) -> Request:
    """A request whose body arrives in chunks that end at these places."""
    chunks = _chunks(body, cuts)

    async def receive() -> dict[str, Any]:
        chunk = next(chunks, None)
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    return Request({"type": "http", "headers": []}, receive)


def _chunks(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    start = 0
    for end in [*sorted(cut for cut in cuts if cut < len(body)), len(body)]:
        yield body[start:end]
        start = end


@given(st.integers(0, LIMIT + 5 * KEPT_BYTES), st.lists(st.integers(0, LIMIT + 5 * KEPT_BYTES), max_size=8))
async def test_a_body_is_whole_up_to_the_bound_and_its_beginning_beyond_it(size: int, cuts: list[int]) -> None:
    body = bytes(number % 251 for number in range(size))
    read = await read_body(request(body, cuts), LIMIT)
    if size <= LIMIT:
        assert (read.data, read.truncated_from) == (body, None)
    else:
        assert (read.data, read.truncated_from) == (body[:KEPT_BYTES], size)


@given(st.lists(st.integers(0, LIMIT + 5 * KEPT_BYTES), max_size=8))
async def test_the_message_id_is_found_near_either_end(cuts: list[int]) -> None:
    data = b"a" * (LIMIT + 3 * KEPT_BYTES)
    for body, expected in ((FIRST + data, "17"), (data + LAST, "23"), (data, None)):
        assert (await read_body(request(body, cuts), LIMIT)).message_id == expected
