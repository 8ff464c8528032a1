"""Fakes of the ports of `shared.mail`, and a mail server that keeps what it accepts."""

from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address as Sender
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from infra.remote.endpoints import LOCALHOST, free_ports
from shared.application.answer_link import LinkAnswers
from shared.application.deliver_email import EmailDelivery
from shared.domain.errors import Conflict
from shared.mail.links import Links
from shared.mail.outbox import Mail, Reader
from shared.mail.ports import Address, Letter, Mailer, StoredMail, StoredReader, Words
from shared.mail.trigger import MailTrigger
from tests.support.fakes import FlakyBus, MovableClock

NOW = datetime(2026, 4, 15, 9, 31, tzinfo=UTC)
KEY = "k" * 32
SENDER = Sender("Example", addr_spec="offers@example.com")
LINKS = Links("https://links.example", [KEY])
TRIGGER_ID = "845283d58bc581dc576f037935fa7a90"
ENTRY = {
    "default": Words(
        "Half price for $plan_to",
        "Until $expires_on: $click\nNot for me: $dismiss\nNo more: $unsubscribe\n",
        "https://shop.example/half?trigger=$trigger_id",
    ),
    "de": Words(
        "Halber Preis", "Bis $expires_on: $click\n", "https://shop.example/de", "<p><a href='$click'>Los</a></p>"
    ),
}


def trigger(**fields: Any) -> MailTrigger:
    """A trigger that was issued, with some fields replaced."""
    usual = {
        "kind": "issued",
        "trigger_id": TRIGGER_ID,
        "user_id": "ada",
        "sequence": 7,
        "channel": "email",
        "placement": "email",
        "expires_at": NOW + timedelta(days=7),
        "offer_id": "half",
        "cms_ref": "offers/half",
        "plan_to": "premium",
    }
    return MailTrigger.model_validate(usual | fields)


class MemoryOutbox:
    """`Outbox` in dicts."""

    def __init__(self) -> None:
        self.mails: dict[str, tuple[Mail, int]] = {}
        self.readers: dict[str, tuple[Reader, int]] = {}

    async def load_mail(self, trigger_id: str) -> StoredMail:
        return StoredMail(*self.mails.get(trigger_id, (None, None)))

    async def save_mail(self, trigger_id: str, mail: Mail, version: object | None) -> object:
        return self._save(self.mails, trigger_id, mail, version)

    async def load_reader(self, user_id: str) -> StoredReader:
        return StoredReader(*self.readers.get(user_id, (Reader(), None)))

    async def save_reader(self, user_id: str, reader: Reader, version: object | None) -> None:
        self._save(self.readers, user_id, reader, version)

    def _save(self, kept: dict, key: str, value: Any, version: object | None) -> int:
        _, found = kept.get(key, (None, None))
        if found != version:
            raise Conflict("the document has changed since it was loaded")
        kept[key] = (value, (found or 0) + 1)
        return kept[key][1]


class Entries:
    """`Addresses` or `WordsSource` in a dict."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self.kept = dict(kept)

    async def find(self, key: str) -> Any:
        return self.kept.get(key)


class MemoryMailer:
    """A `Mailer` that keeps letters. `refuses` is raised when a mail is opened, `fails` when it is handed over."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuses: Exception | None = None
        self.fails: Exception | None = None

    @asynccontextmanager
    async def open(self, letter: Letter):
        if self.refuses:
            raise self.refuses
        yield _Handover(self, letter)


class _Handover:
    def __init__(self, mailer: MemoryMailer, letter: Letter) -> None:
        self.mailer = mailer
        self.letter = letter

    async def send(self) -> None:
        if self.mailer.fails:
            raise self.mailer.fails
        self.mailer.letters.append(self.letter)


class World:
    """The delivery of e-mail with everything around it in memory. `delivery` is new after each crash."""

    def __init__(self, mailer: Mailer | None = None, outbox: Any = None) -> None:
        self.outbox = outbox or MemoryOutbox()
        self.addresses = Entries({"ada": Address("ada@example.org")})
        self.words = Entries({"offers/half": ENTRY})
        self.mailer: Any = mailer or MemoryMailer()
        self.bus = FlakyBus()
        self.clock = MovableClock(NOW)

    @property
    def delivery(self) -> EmailDelivery:
        ports = (self.outbox, self.addresses, self.words, self.mailer, self.bus, self.clock)
        return EmailDelivery(*ports, SENDER, LINKS)

    @property
    def answers(self) -> LinkAnswers:
        return LinkAnswers(self.outbox, self.bus, self.clock)

    @property
    def reported(self) -> list[tuple[str, str]]:
        """Each report once, as Upbeat counts them: event id and kind."""
        return sorted({(message.message_id, message.body["kind"]) for message in self.bus.taken})


class Sink:
    """Handles the sessions of a mail server: it keeps what it accepts, or answers as a test says."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, and accept everything."""
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.to_recipient = "250 OK"
        self.to_content = "250 OK"
        self.drops_content = False
        """True to end the connection after the content was taken, before the answer."""

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:  # noqa: N802 - aiosmtpd's
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server, _session, envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self.to_content.startswith("250"):
            self.recipients += envelope.rcpt_tos
            self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.drops_content:
            server.transport.abort()
        return self.to_content


@contextmanager
def mail_server() -> Iterator[tuple[Sink, int]]:
    """A mail server on this machine, and its port."""
    sink, (port,) = Sink(), free_ports(1)
    controller = Controller(sink, hostname=LOCALHOST, port=port)
    controller.start()
    try:
        yield sink, port
    finally:
        controller.stop()
