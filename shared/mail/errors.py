"""The three ways in which a server does not take a mail. Each tells what is known of it."""

from shared.domain.errors import Transient, UpbeatError


class NotSent(Transient):
    """Nothing was taken, and a later attempt may succeed: no connection, or an answer of 4xx."""


class Bounced(UpbeatError):
    """Nothing was taken, and nothing will be: the server has answered 5xx for this recipient or this content."""


class Unsure(UpbeatError):
    """The connection ended while the content was handed over: the server may have taken it."""
