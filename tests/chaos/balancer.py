"""A load balancer of the functions' instances: what Cloud Run is in production, with the faults of its network.

Pub/Sub's emulator pushes to it, and the harness delivers through it what the emulator is too slow for.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from infra.remote.endpoints import LOCALHOST

UNREACHABLE, GONE = 504, 502
"""The statuses for a request that no instance took, and for one whose instance ended before it answered."""
ANSWER_SECONDS = 60.0
"""The longest wait for an instance's answer, as Terraform sets the functions' time-out."""


class Faults(NamedTuple):
    """The shares of deliveries that the balancer disturbs, each from 0 to 1."""

    lost: float = 0.0
    """The instance answers, but the answer does not arrive: what was processed is delivered again."""
    doubled: float = 0.0
    """Two instances get the delivery at the same time."""
    late: float = 0.0
    """The delivery waits for up to half a second, so that others overtake it."""


NO_FAULTS = Faults()


class Balancer:
    """Sends each push to an instance chosen at random, and counts what became of it."""

    def __init__(self, instances: Mapping[str, Sequence[int]], random: Random) -> None:
        self.faults = NO_FAULTS
        self.counts: Counter[str] = Counter()
        """Deliveries, those refused by status, and faults by kind."""
        self.acknowledged: set[str] = set()
        """The Pub/Sub ids of the messages whose acknowledgement reached Pub/Sub."""
        self._instances = instances
        """The ports of the instances of each function."""
        self._random = random
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._server: asyncio.Server

    async def start(self) -> str:
        """Listen on a free port. Returns the base URL; a function's name follows it."""
        self._server = await asyncio.start_server(self._serve, LOCALHOST, 0)
        return f"http://{LOCALHOST}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening, and wait until every connection is gone."""
        self._server.close()
        for writer in self._clients:
            writer.transport.abort()
        await asyncio.gather(*filter(None, self._clients.values()), return_exceptions=True)

    async def deliver(self, function: str, body: bytes) -> int | None:
        """The status with which an instance answers a push body; None if its answer is lost."""
        self.counts["deliveries"] += 1
        if self._happens(self.faults.late, "deliveries overtaken"):
            await asyncio.sleep(self._random.uniform(0, 0.5))
        if self._happens(self.faults.doubled, "deliveries doubled"):
            status, _ = await asyncio.gather(self._forward(function, body), self._forward(function, body))
        else:
            status = await self._forward(function, body)
        if self._happens(self.faults.lost, "acknowledgements lost"):
            return None
        if 200 <= status < 300:
            self.acknowledged.add(json.loads(body)["message"]["messageId"])
        else:
            self.counts[f"answered {status}"] += 1
        return status

    def _happens(self, share: float, fault: str) -> bool:
        happens = self._random.random() < share
        self.counts[fault] += happens
        return happens

    async def _forward(self, function: str, body: bytes) -> int:
        """The status of an instance that accepts the connection; of several, in random order, the first."""
        ports = [*self._instances[function]]
        self._random.shuffle(ports)
        for port in ports:
            try:
                reader, writer = await asyncio.open_connection(LOCALHOST, port)
            except OSError:
                continue
            try:
                return await asyncio.wait_for(_post(reader, writer, body), ANSWER_SECONDS)
            except (OSError, EOFError, ValueError, IndexError, TimeoutError):
                return GONE
            finally:
                writer.transport.abort()
        return UNREACHABLE

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it ends. A lost answer becomes that of a gateway."""
        self._clients[writer] = asyncio.current_task()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                function, length = _read_head(head)
                status = await self.deliver(function, await reader.readexactly(length))
                # If a connection just ends, the emulator waits for the whole ack deadline; Pub/Sub does not.
                writer.write(f"HTTP/1.1 {status or GONE} -\r\ncontent-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            del self._clients[writer]
            writer.transport.abort()


def _read_head(head: bytes) -> tuple[str, int]:
    """The function that a request's path names first, and the length of its body."""
    line, *fields = head.decode().lower().splitlines()
    lengths = [int(field.partition(":")[2]) for field in fields if field.startswith("content-length:")]
    if not lengths:
        raise EOFError(f"expected a content-length, found {line}")
    return line.split()[1].split("/")[1], lengths[0]


async def _post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> int:
    head = f"POST / HTTP/1.1\r\nhost: {LOCALHOST}\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    status = (await reader.readuntil(b"\r\n\r\n")).split()[1]
    return int(status)
