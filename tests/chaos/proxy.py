"""A faulty network: a TCP proxy that holds back and cuts connections, swallows answers, and goes away."""

import asyncio
from collections import Counter
from random import Random

from infra.remote.endpoints import LOCALHOST

CHUNK = 65_536


class Link:
    """One connection of a client to the server behind the proxy, with the fault that it has at present."""

    def __init__(self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self.writers = writers
        self.loses_answers = False
        """True: requests go through, answers are swallowed."""
        self.is_silent = False
        """True: nothing goes through in either direction, and neither side is told (half-open)."""
        self.may_pass = asyncio.Event()
        """Cleared while all bytes are held back."""
        self.may_pass.set()

    def abort(self) -> None:
        """Reset the connection on both sides, and let what was held back meet its end."""
        self.may_pass.set()
        for writer in self.writers:
            writer.transport.abort()


class FaultyProxy:
    """Relays connections to `target` (host:port), and disturbs one of them at random on demand.

    Bytes within an HTTP/2 connection cannot be lost one by one, as TCP loses none. So a connection whose answers
    were swallowed, or that was half-open, is cut afterwards.
    """

    def __init__(self, target: str, random: Random) -> None:
        self.faults: Counter[str] = Counter()
        self.address = ""
        """The address to connect to (host:port), once started."""
        self._is_away = False
        self._target = target.split(":")
        self._random = random
        self._links: set[Link] = set()
        self._relays: set[asyncio.Task[None] | None] = set()
        self._server: asyncio.Server

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._relay, LOCALHOST, 0)
        self.address = f"{LOCALHOST}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening, cut every connection, and wait until all are gone."""
        self._server.close()
        for link in self._links:
            link.abort()
        await asyncio.gather(*filter(None, self._relays), return_exceptions=True)

    async def cut(self) -> None:
        """Reset a connection, with whatever is under way on it."""
        if link := self._choose("connections cut"):
            link.abort()

    async def delay(self, seconds: float) -> None:
        """Hold back everything on a connection for some time."""
        if link := self._choose("connections held back"):
            link.may_pass.clear()
            await asyncio.sleep(seconds)
            link.may_pass.set()

    async def lose_answers(self, seconds: float) -> None:
        """Swallow the answers to the requests of some time, and cut the connection then."""
        if link := self._choose("answers lost"):
            link.loses_answers = True
            await asyncio.sleep(seconds)
            link.abort()

    async def fall_silent(self, seconds: float) -> None:
        """Leave a connection half-open for some time, and cut it then."""
        if link := self._choose("connections half-open"):
            link.is_silent = True
            await asyncio.sleep(seconds)
            link.abort()

    async def go_away(self, seconds: float) -> None:
        """Cut every connection, and accept no other for some time: longer than clients try again."""
        self.faults["outages"] += 1
        self._is_away = True
        for link in self._links:
            link.abort()
        await asyncio.sleep(seconds)
        self._is_away = False

    def _choose(self, fault: str) -> Link | None:
        if not self._links:
            return None
        self.faults[fault] += 1
        return self._random.choice([*self._links])

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            if self._is_away:
                raise ConnectionRefusedError
            server, to_server = await asyncio.open_connection(*self._target)
        except OSError:
            to_client.transport.abort()
            return
        link, relay = Link((to_client, to_server)), asyncio.current_task()
        self._links.add(link)
        self._relays.add(relay)
        try:
            requests, answers = (client, to_server), (server, to_client)
            await asyncio.gather(self._pump(link, *requests), self._pump(link, *answers, answers=True))
        finally:
            self._links.discard(link)
            self._relays.discard(relay)
            link.abort()

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        """Pass on bytes in one direction until either side ends, which ends the connection."""
        try:
            while data := await reader.read(CHUNK):
                await link.may_pass.wait()
                if link.is_silent or (answers and link.loses_answers):
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        link.abort()
