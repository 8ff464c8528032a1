"""The signature of Contentful's webhooks: HMAC-SHA256 over the canonical request.

https://www.contentful.com/developers/docs/webhooks/request-verification/
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from shared.adapters.cms.signed_request import Refused, SignedRequest, check_age, check_signature

SIGNATURE, SIGNED, TIMESTAMP = (f"x-contentful-{name}" for name in ("signature", "signed-headers", "timestamp"))
LISTED = f"a header that {SIGNED} lists"
_KEPT_IN_SEARCH = "-_.!~*'()"
_KEPT_IN_URI = _KEPT_IN_SEARCH + ";,/?:@&=+$#"


def verify(request: SignedRequest, secret: str, now: datetime) -> str:
    """The signature of a request that was signed with `secret` around `now` (UTC). Raises `Refused`."""
    signature, signed, timestamp = (request.header(name) for name in (SIGNATURE, SIGNED, TIMESTAMP))
    check_age(timestamp, TIMESTAMP, now)
    names = [name.strip().lower() for name in signed.split(",")]
    for name in (SIGNED, TIMESTAMP):
        if name not in names:
            raise Refused("unsigned_header", f"{name}: expected it among the signed headers, found it is not")
    if len(names) != len({*names}) or SIGNATURE in names:
        raise Refused("malformed", f"{SIGNED}: expected each name once, without the signature, found otherwise")
    return check_signature(signature, _canonical(request, sorted(names)), secret)


def _canonical(request: SignedRequest, names: Sequence[str]) -> bytes:
    headers = ";".join(f"{name}:{request.header(name, LISTED)}" for name in names)
    path = request.path
    if request.search:
        path = quote(f"{path}?{quote(request.search, safe=_KEPT_IN_SEARCH)}", safe=_KEPT_IN_URI)
    return b"\n".join([request.method.encode(), path.encode(), headers.encode(), request.body])
