"""The load: a process that posts requests over HTTP, a given number at once, and measures their latency.

It is a process of its own so that its CPU time is nobody else's. It answers each line on standard input, a JSON
object with `url`, `at_once` and `requests` (a file with one body a line), with one line of JSON: `latencies` in
milliseconds and `statuses`, the number of responses by status.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

CLOUD_EVENT = (
    "ce-id: 1\r\nce-specversion: 1.0\r\nce-source: //pubsub.googleapis.com/projects/bench/topics/payment\r\n"
    "ce-type: google.cloud.pubsub.topic.v1.messagePublished\r\ncontent-type: application/json\r\n"
)
"""The headers that Eventarc adds to the body of a Pub/Sub push: all functions under test get the same requests."""


class Answered(NamedTuple):
    """What became of the requests of one run."""

    latencies: list[float]
    """Milliseconds from the first byte sent to the last byte received, in the order of the answers."""
    statuses: dict[str, int]


class Load:
    """The process that posts the requests; a context manager."""

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory()
        command = (sys.executable, "-m", __spec__.name)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()

    def post(self, url: str, bodies: Sequence[bytes], at_once: int) -> Answered:
        """Post every body. Raises `RuntimeError` if one is not answered with a status of success."""
        requests = Path(self._folder.name) / "requests"
        requests.write_bytes(b"\n".join(bodies))
        asked = {"url": url, "at_once": at_once, "requests": str(requests)}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{url}: expected an answer of the load's process, found its end")
        answered = Answered(**json.loads(line))
        if set(answered.statuses) - {"200", "204"}:
            raise RuntimeError(f"{url}: expected only answers of 200 and 204, found {answered.statuses}")
        return answered


async def post_all(url: str, bodies: Sequence[bytes], at_once: int) -> Answered:
    """Post every body over `at_once` connections, each with one request at a time."""
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    waiting = iter(bodies)
    await asyncio.gather(
        *(_post_each(url, waiting, latencies, statuses) for _ in range(min(at_once, len(bodies))))
    )
    return Answered(latencies, dict(statuses))


async def _post_each(url: str, waiting: Iterator[bytes], latencies: list[float], statuses: Counter[str]) -> None:
    target = urlsplit(url)
    head = f"POST {target.path or '/'} HTTP/1.1\r\nhost: {target.netloc}\r\n{CLOUD_EVENT}"
    reader = writer = None
    for body in waiting:
        if writer is None:
            reader, writer = await asyncio.open_connection(target.hostname, target.port)
        began = time.perf_counter()
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        status, stays_open = await read_answer(reader)
        latencies.append((time.perf_counter() - began) * 1e3)
        statuses[status] += 1
        if not stays_open:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    """The status of a response that is read to its end, and whether the connection stays open."""
    first, *rows = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    await reader.readexactly(int(headers.get("content-length", 0)))
    return first.split()[1], headers.get("connection", "").lower() != "close"


def main() -> None:
    """Answer each line of standard input."""
    for line in sys.stdin:
        asked = json.loads(line)
        bodies = Path(asked["requests"]).read_bytes().split(b"\n")
        answered = asyncio.run(post_all(asked["url"], bodies, asked["at_once"]))
        print(json.dumps(answered._asdict()), flush=True)


if __name__ == "__main__":
    main()
