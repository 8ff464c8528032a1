"""The common part of all CMSs' signatures: a request, its age, and the reasons for which one is refused."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.domain.errors import UpbeatError

MAX_AGE = timedelta(minutes=5)
"""The most by which a request's timestamp may differ from now."""
MAX_MILLISECONDS = 4_102_444_800_000
"""The greatest timestamp that is read: the year 2100."""
MAX_DIGITS = 20
"""The most digits of a timestamp that are read."""


class Refused(UpbeatError):
    """A request that is not the CMS's. `reason` is a code; the text holds nothing of the request."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class SignedRequest(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    search: str
    """The part after the question mark of the address."""
    headers: Sequence[tuple[str, str]]
    """In the order in which they came, with names in lower case."""
    body: bytes

    def header(self, name: str, told: str = "") -> str:
        """The value of a header that must be there once. Raises `Refused`.

        The error says `told` in place of a name that comes from the request itself.
        """
        found = [value.strip() for key, value in self.headers if key == name]
        if len(found) != 1:
            reason = "missing_header" if not found else "malformed"
            raise Refused(reason, f"{told or name}: expected it once, found it {len(found)} times")
        return found[0]


def check_age(timestamp: str, place: str, now: datetime) -> None:
    """Raise `Refused` for a timestamp (milliseconds since 1970, in `place`) that is not around `now` (UTC)."""
    is_number = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= MAX_DIGITS
    if not is_number or int(timestamp) > MAX_MILLISECONDS:
        raise Refused("malformed", f"{place}: expected milliseconds since 1970, found something else")
    sent_at = datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    if abs(now - sent_at) > MAX_AGE:
        reason = "too_old" if sent_at < now else "from_the_future"
        raise Refused(reason, f"{place}: expected a time within {MAX_AGE} of now, found another")


def check_signature(signature: str, content: bytes, secret: str) -> str:
    """The signature of `content`: HMAC-SHA256 in hexadecimal. Raises `Refused` if another one was given."""
    expected = hmac.new(secret.encode(), content, "sha256").hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Refused("wrong_signature", "the signature is not that of this request")
    return expected
