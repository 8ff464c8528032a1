"""Ports: what the delivery of e-mail needs of the outside world."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from shared.mail.outbox import Mail, Reader


class StoredMail(NamedTuple):
    """The result of loading a mail, with the version that makes the next save conditional."""

    mail: Mail | None
    version: object | None


class StoredReader(NamedTuple):
    """The result of loading a reader; a new one for a user of whom nothing is kept."""

    reader: Reader
    version: object | None


class Address(NamedTuple):
    """The address at which a user reads mail."""

    email: str
    """As somebody else wrote it: it may be no address at all."""
    locale: str = ""
    """A BCP 47 tag such as `de-AT`; empty if it is not known."""


class Words(NamedTuple):
    """The templates of one entry in one language, with `$name` for what is filled in."""

    subject: str
    text: str
    url: str
    """The page of the offer, to which a click leads."""
    html: str | None = None


class Letter(NamedTuple):
    """A mail as it is handed to a server."""

    sender: str
    recipient: str
    data: bytes
    """The whole message, headers included, in 7 bits with CRLF."""


class Outbox(Protocol):
    """The store of mails and readers. Saves are conditional: they raise `Conflict` if what was loaded has changed.

    Every method raises `Transient` if the store does not answer; a save may then have happened or not.
    """

    async def load_mail(self, trigger_id: str) -> StoredMail:
        """The mail for a trigger."""
        ...

    async def save_mail(self, trigger_id: str, mail: Mail, version: object | None) -> object:
        """Keep the mail, and return its new version."""
        ...

    async def load_reader(self, user_id: str) -> StoredReader:
        """The state that is kept of a user."""
        ...

    async def save_reader(self, user_id: str, reader: Reader, version: object | None) -> None:
        """Keep the reader."""
        ...


class Addresses(Protocol):
    """The users' addresses. Upbeat itself knows no address."""

    async def find(self, user_id: str) -> Address | None:
        """The user's address; None if there is none. Raises `Transient`."""
        ...


class WordsSource(Protocol):
    """The source of what mails say."""

    async def find(self, cms_ref: str) -> Mapping[str, Words] | None:
        """The templates of an entry by locale; None if there is no such entry.

        Raises `Transient`, also for an entry that is incomplete: somebody may complete it.
        """
        ...


class Handover(Protocol):
    """A server that has accepted the sender and the recipient of one mail, and waits for its content."""

    async def send(self) -> None:
        """Hand over the content, once. Raises `NotSent`, `Bounced` or `Unsure`."""
        ...


class Mailer(Protocol):
    """The way to a mail server."""

    def open(self, letter: Letter) -> AbstractAsyncContextManager[Handover]:
        """Have a server accept the sender and the recipient. Raises `NotSent` or `Bounced` on entering."""
        ...
