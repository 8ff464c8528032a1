"""Mail over SMTP (RFC 5321), with the standard library's client in threads."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from shared.mail.errors import Bounced, NotSent, Unsure
from shared.mail.ports import Handover, Letter
from shared.mail.settings import MailSettings

SECONDS = 15.0
"""The time limit of each answer of the server."""
CONTENT_SECONDS = 30.0
"""The time limit of its answer to the content, which servers check before they answer."""
ACCEPTED, WILL_FORWARD = 250, 251
PERMANENT = 500
"""The least reply code that says: do not try again."""


class SmtpMailer:
    """One connection for each mail, so that nothing of one mail stays in the next."""

    def __init__(self, settings: MailSettings, seconds: float = SECONDS) -> None:
        self.settings = settings
        self.seconds = seconds

    @asynccontextmanager
    async def open(self, letter: Letter) -> AsyncIterator[Handover]:
        """See `Mailer.open`."""
        client = await asyncio.to_thread(self._accepted, letter)
        try:
            yield _SmtpHandover(client, letter.data)
        finally:
            await asyncio.to_thread(_quit, client)

    def _accepted(self, letter: Letter) -> smtplib.SMTP:
        """A connection on which the server waits for DATA."""
        try:
            client = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"the mail server: {_described(error)}") from error
        try:
            _envelope(client, letter)
        except BaseException:
            _quit(client)
            raise
        return client

    def _connected(self) -> smtplib.SMTP:
        given, context = self.settings, ssl.create_default_context()
        if given.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(given.host, given.port, timeout=self.seconds, context=context)
        else:
            client = smtplib.SMTP(given.host, given.port, timeout=self.seconds)
        try:
            if given.security == "starttls":
                client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
            if given.user and given.password:
                client.login(given.user, given.password)
        except BaseException:
            client.close()
            raise
        return client


class _SmtpHandover:
    """Implements `Handover`."""

    def __init__(self, client: smtplib.SMTP, data: bytes) -> None:
        self.client = client
        self.data = data

    async def send(self) -> None:
        """See `Handover.send`."""
        code = await asyncio.to_thread(self._send)
        if code >= PERMANENT:
            raise Bounced(f"the mail server refuses the content: {code}")
        if code != ACCEPTED:
            raise NotSent(f"the mail server takes no content now: {code}")

    def _send(self) -> int:
        """The reply code to the content, or to the command before it."""
        if self.client.sock:
            self.client.sock.settimeout(CONTENT_SECONDS)
        try:
            return self.client.data(self.data)[0]
        except smtplib.SMTPDataError as error:
            return error.smtp_code
        except (OSError, smtplib.SMTPException) as error:
            raise Unsure(f"the mail server: {_described(error)}") from error


def _envelope(client: smtplib.SMTP, letter: Letter) -> None:
    """Name the sender and the recipient. A server that refuses the sender refuses the settings, not this mail."""
    try:
        of_sender, _ = client.mail(letter.sender)
        of_recipient, _ = client.rcpt(letter.recipient) if of_sender == ACCEPTED else (of_sender, b"")
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"the mail server: {_described(error)}") from error
    if of_sender != ACCEPTED:
        raise NotSent(f"the mail server refuses the sender: {of_sender}")
    if of_recipient >= PERMANENT:
        raise Bounced(f"the mail server refuses the recipient: {of_recipient}")
    if of_recipient not in {ACCEPTED, WILL_FORWARD}:
        raise NotSent(f"the mail server takes no mail for the recipient now: {of_recipient}")


def _quit(client: smtplib.SMTP) -> None:
    """End the session. It has no say in what became of the mail."""
    with suppress(OSError, smtplib.SMTPException):
        client.quit()
    client.close()


def _described(error: Exception) -> str:
    """The kind of an error and its code: its text may repeat an address."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
