"""The signature of Contentful's webhooks: HMAC-SHA256 over the canonical request.

https://www.contentful.com/developers/docs/webhooks/request-verification/
"""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

from shared.domain.errors import UpbeatError

SIGNATURE, SIGNED, TIMESTAMP = (f"x-contentful-{name}" for name in ("signature", "signed-headers", "timestamp"))
MAX_AGE = timedelta(minutes=5)
"""The most by which a request's timestamp may differ from now."""
MAX_MILLISECONDS = 4_102_444_800_000
"""The greatest timestamp that is read: the year 2100."""
_KEPT_IN_SEARCH = "-_.!~*'()"
_KEPT_IN_URI = _KEPT_IN_SEARCH + ";,/?:@&=+$#"


class Refused(UpbeatError):
    """A request that is not Contentful's. `reason` is a code; the text holds nothing of the request."""

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


def verify(request: SignedRequest, secret: str, now: datetime) -> str:
    """The signature of a request that was signed with `secret` around `now` (UTC). Raises `Refused`."""
    signature, signed, timestamp = (_header(request, name) for name in (SIGNATURE, SIGNED, TIMESTAMP))
    _check_age(timestamp, now)
    names = [name.strip().lower() for name in signed.split(",")]
    for name in (SIGNED, TIMESTAMP):
        if name not in names:
            raise Refused("unsigned_header", f"{name}: expected it among the signed headers, found it is not")
    if len(names) != len({*names}) or SIGNATURE in names:
        raise Refused("malformed", f"{SIGNED}: expected each name once, without the signature, found otherwise")
    expected = hmac.new(secret.encode(), _canonical(request, sorted(names)), "sha256").hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise Refused("wrong_signature", "the signature is not that of this request")
    return expected


def _header(request: SignedRequest, name: str) -> str:
    found = [value.strip() for key, value in request.headers if key == name]
    if len(found) != 1:
        reason = "missing_header" if not found else "malformed"
        raise Refused(reason, f"{name}: expected it once, found it {len(found)} times")
    return found[0]


def _check_age(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdecimal() and int(timestamp[:20]) <= MAX_MILLISECONDS):
        raise Refused("malformed", f"{TIMESTAMP}: expected milliseconds since 1970, found something else")
    sent_at = datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    if abs(now - sent_at) > MAX_AGE:
        reason = "too_old" if sent_at < now else "from_the_future"
        raise Refused(reason, f"{TIMESTAMP}: expected a time within {MAX_AGE} of now, found another")


def _canonical(request: SignedRequest, names: Sequence[str]) -> bytes:
    headers = ";".join(f"{name}:{_header(request, name)}" for name in names)
    path = request.path
    if request.search:
        path = quote(f"{path}?{quote(request.search, safe=_KEPT_IN_SEARCH)}", safe=_KEPT_IN_URI)
    return b"\n".join([request.method.encode(), path.encode(), headers.encode(), request.body])
