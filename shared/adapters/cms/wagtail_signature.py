"""The signature of the webhooks of the Wagtail site: `X-Upbeat-Signature: t=MILLISECONDS,v1=HEX`.

HEX is the HMAC-SHA256 of `MILLISECONDS.BODY`. Method and path are not signed: the function has one of each.
"""

import re
from datetime import datetime

from shared.adapters.cms.signed_request import Refused, SignedRequest, check_age, check_signature

SIGNATURE = "x-upbeat-signature"
_parts_of = re.compile(r"t=([^,]*),v1=([^,]*)").fullmatch


def verify(request: SignedRequest, secret: str, now: datetime) -> str:
    """The signature of a request that was signed with `secret` around `now` (UTC). Raises `Refused`."""
    parts = _parts_of(request.header(SIGNATURE))
    if parts is None:
        raise Refused("malformed", f"{SIGNATURE}: expected t=MILLISECONDS,v1=HEX, found something else")
    timestamp, signature = parts.groups()
    check_age(timestamp, SIGNATURE, now)
    return check_signature(signature, timestamp.encode() + b"." + request.body, secret)
