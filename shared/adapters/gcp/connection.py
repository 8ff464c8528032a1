"""Connections to Google's services: one gRPC channel for each, under bare stubs in place of a client library."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

import grpc
from google.protobuf.message import Message

Headers = tuple[tuple[str, str], ...]

# The same as of Google's clients: a dead connection is noticed, and only the services bound what is sent.
CHANNEL_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


class Service(NamedTuple):
    """One of Google's services."""

    name: str
    """The name in error texts."""
    host: str
    emulator_variable: str
    """The environment variable with the host and port of the emulator."""


FIRESTORE = Service("Firestore", "firestore.googleapis.com", "FIRESTORE_EMULATOR_HOST")
PUBSUB = Service("Pub/Sub", "pubsub.googleapis.com", "PUBSUB_EMULATOR_HOST")
BIGTABLE = Service("Bigtable", "bigtable.googleapis.com", "BIGTABLE_EMULATOR_HOST")


class Authorization(Protocol):
    """The source of the headers that authorize a call."""

    async def headers(self) -> Headers:
        """The headers for the next call. Raises `Transient` if there are none."""
        ...


class EmulatorAuthorization:
    """The emulators' owner, to whom security rules do not apply."""

    async def headers(self) -> Headers:
        """See `Authorization.headers`."""
        return (("authorization", "Bearer owner"),)


class Connection:
    """One channel to one service, and the authorization of its calls. It must be made where the loop runs.

    The channel connects again by itself after its connection died.
    """

    def __init__(self, service: Service, channel: grpc.aio.Channel, authorization: Authorization) -> None:
        self.service = service
        self.channel = channel
        self.authorization = authorization

    def unary(
        self, method: str, request: type[Message], answer: type[Message]
    ) -> grpc.aio.UnaryUnaryMultiCallable:
        """A remote procedure with one answer."""
        return self.channel.unary_unary(method, request.SerializeToString, answer.FromString)

    def stream(
        self, method: str, request: type[Message], part: type[Message]
    ) -> grpc.aio.UnaryStreamMultiCallable:
        """A remote procedure whose answer is a stream of parts."""
        return self.channel.unary_stream(method, request.SerializeToString, part.FromString)

    def connect(self) -> None:
        """Begin to connect at once, not with the first call."""
        self.channel.get_state(try_to_connect=True)

    async def close(self) -> None:
        """Close the channel, and cancel the calls under way."""
        await self.channel.close()


def connections(environ: Mapping[str, str], *services: Service) -> list[Connection]:
    """A connection to each service: to the emulator that the environment names, else to Google."""
    emulators = [environ.get(service.emulator_variable) for service in services]
    tokens = EmulatorAuthorization() if all(emulators) else _access_tokens()
    return [
        emulator_connection(service, host) if host else secure_connection(service, service.host, tokens)
        for service, host in zip(services, emulators, strict=True)
    ]


def emulator_connection(
    service: Service, host: str, interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
) -> Connection:
    """A connection to an emulator."""
    channel = grpc.aio.insecure_channel(host, CHANNEL_OPTIONS, interceptors=interceptors)
    return Connection(service, channel, EmulatorAuthorization())


def secure_connection(
    service: Service,
    host: str,
    authorization: Authorization,
    root_certificates: bytes | None = None,
) -> Connection:
    """A connection over TLS. Without root certificates, those that gRPC brings along are trusted."""
    credentials = grpc.ssl_channel_credentials(root_certificates)
    channel = grpc.aio.secure_channel(host, credentials, CHANNEL_OPTIONS)
    return Connection(service, channel, authorization)


def routing(**parameters: str) -> tuple[str, str]:
    """The header by which Google routes a call: https://google.aip.dev/client-libraries/4222."""
    return "x-goog-request-params", urlencode(parameters, safe="/")


def _access_tokens() -> Authorization:
    from shared.adapters.gcp.access_tokens import AccessTokens  # noqa: PLC0415 - emulators need no google.auth

    return AccessTokens()
