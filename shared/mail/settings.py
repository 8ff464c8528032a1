"""Settings of the functions for e-mail, read from environment variables and validated at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from shared.mail.letter import is_address
from shared.settings import InvalidSettings

SECURITY = ("starttls", "tls", "none")
MIN_KEY = 32
"""The least length of a key that signs links."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """The settings of `email_links`, which `deliver_email` has as well."""

    keys: tuple[str, ...] = field(repr=False)
    """`UPBEAT_MAIL_LINK_KEY`, a secret: the key that signs links, of at least 32 characters. After a comma, former
    keys, whose links still hold."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The settings of `deliver_email`."""

    links: LinkSettings
    host: str
    """`UPBEAT_SMTP_HOST`: the mail server, which also signs (DKIM)."""
    sender: Address
    """`UPBEAT_MAIL_FROM`: the sender, such as `Example <offers@example.com>`."""
    link_base: str
    """`UPBEAT_MAIL_LINKS`: the https address of `email_links`, with which every link begins."""
    port: int = 587
    """`UPBEAT_SMTP_PORT`: the server's port."""
    security: str = "starttls"
    """`UPBEAT_SMTP_SECURITY`: `starttls`, `tls` (from the first byte on, port 465), or `none`, which a function in
    Cloud Run refuses."""
    user: str | None = None
    """`UPBEAT_SMTP_USER`: the name with which to log in; without it, nobody logs in."""
    password: str | None = field(default=None, repr=False)
    """`UPBEAT_SMTP_PASSWORD`, a secret: the password to it."""


def read_link_settings(environ: Mapping[str, str]) -> LinkSettings:
    """The settings of links. Raises `InvalidSettings`, which never tells a key."""
    keys = tuple(key.strip() for key in environ.get("UPBEAT_MAIL_LINK_KEY", "").split(","))
    if (shortest := min(map(len, keys))) < MIN_KEY:
        raise InvalidSettings(
            f"UPBEAT_MAIL_LINK_KEY: expected keys of at least {MIN_KEY} characters, found one of {shortest}"
        )
    return LinkSettings(keys)


def read_mail_settings(environ: Mapping[str, str]) -> MailSettings:
    """The settings of e-mail. Raises `InvalidSettings`."""
    user, password = environ.get("UPBEAT_SMTP_USER") or None, environ.get("UPBEAT_SMTP_PASSWORD") or None
    if (user is None) != (password is None):
        raise InvalidSettings(
            "UPBEAT_SMTP_USER: expected it with UPBEAT_SMTP_PASSWORD, found one without the other"
        )
    return MailSettings(
        read_link_settings(environ),
        host=_required(environ, "UPBEAT_SMTP_HOST", "the name of a mail server"),
        sender=_sender(_required(environ, "UPBEAT_MAIL_FROM", "an address")),
        link_base=_link_base(environ),
        port=_port(environ.get("UPBEAT_SMTP_PORT", "587")),
        security=_security(environ),
        user=user,
        password=password,
    )


def _required(environ: Mapping[str, str], name: str, expected: str) -> str:
    value = environ.get(name)
    if not value:
        raise InvalidSettings(f"{name}: expected {expected}, found nothing")
    return value


def _sender(text: str) -> Address:
    name, email = parseaddr(text)
    if not is_address(email) or not text.isprintable():
        raise InvalidSettings(f"UPBEAT_MAIL_FROM: expected a sender such as Name <a@example.com>, found {text!r}")
    return Address(name, addr_spec=email)


def _link_base(environ: Mapping[str, str]) -> str:
    """Plain HTTP serves the emulators alone."""
    given = _required(environ, "UPBEAT_MAIL_LINKS", "the address of email_links")
    schemes = {"https"} if environ.get("K_SERVICE") else {"https", "http"}
    parts = urlsplit(given)
    if (
        parts.scheme not in schemes
        or not parts.netloc
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
        or not given.isascii()
    ):
        raise InvalidSettings(
            f"UPBEAT_MAIL_LINKS: expected an address that begins with https:// and has no path, found {given!r}"
        )
    return given


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise InvalidSettings(f"UPBEAT_SMTP_PORT: expected a number from 1 to 65535, found {text!r}")
    return int(text)


def _security(environ: Mapping[str, str]) -> str:
    known = SECURITY[:2] if environ.get("K_SERVICE") else SECURITY
    given = environ.get("UPBEAT_SMTP_SECURITY", "starttls")
    if given not in known:
        raise InvalidSettings(f"UPBEAT_SMTP_SECURITY: expected one of {', '.join(known)}, found {given!r}")
    return given
