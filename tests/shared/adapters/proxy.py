"""A proxy before an emulator, whose connections can be cut and whose answers can be held, with or without TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.remote.endpoints import LOCALHOST


class Proxy:
    """Passes bytes between its clients and a target. Made by `proxied`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.port = 0
        self.connections = 0
        """The number of connections so far."""
        self.answers = asyncio.Event()
        """Answers of the target wait for it."""
        self.answers.set()
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        host, port = self.target.split(":")
        target_reader, target_writer = await asyncio.open_connection(host, int(port))
        self._writers += [writer, target_writer]
        await asyncio.gather(self._pass(reader, target_writer), self._pass(target_reader, writer, self.answers))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event | None = None
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if gate:
                    await gate.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """End all connections without a word. New ones are taken."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def proxied(target: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A running proxy before a host and port."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, LOCALHOST, 0, ssl=tls)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    proxy.answers.set()
    proxy.cut()
    server.close()


def self_signed(name: str, folder: Path) -> tuple[ssl.SSLContext, bytes]:
    """The TLS settings of a server of that name that speaks HTTP/2, and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    pem = folder / "server.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    tls.set_alpn_protocols(["h2"])
    return tls, certificate
