"""Webhooks of every CMS: one that is good, and forged ones, each with the reason for which it is refused."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from shared.adapters.cms import contentful_signature, wagtail_signature
from shared.adapters.cms.signed_request import SignedRequest
from tests.support import contentful, wagtail

LATE = 600_000
"""Milliseconds: more than a timestamp may differ from now, however long the test takes."""
Forged = Iterator[tuple[str, SignedRequest, str]]
"""The name of a forgery, the request, and the reason."""
SAID = "says-the-sender"
"""A text of a forged request, which no message repeats."""


class Scheme(NamedTuple):
    """The webhooks of one CMS."""

    verify: Callable[[SignedRequest, str, datetime], str]
    secret: str
    body: bytes
    sign: Callable[..., dict[str, str]]
    """The headers of a webhook: of a body, at milliseconds since 1970, with a secret."""
    particular: Callable[["Scheme", int], Forged]
    """The forgeries that only this CMS's signature can have."""

    def good(self, millis: int) -> SignedRequest:
        """A webhook that was signed at this time."""
        return request(self.sign(self.body, millis), self.body)

    def forged(self, millis: int) -> Forged:
        """Webhooks that nobody should accept at this time."""
        good = self.sign(self.body, millis)
        respelt = json.dumps(json.loads(self.body), indent=1).encode()
        yield "no signature", request({}, self.body), "missing_header"
        yield (
            "another secret",
            request(self.sign(self.body, millis, secret="x" * 64), self.body),
            "wrong_signature",
        )
        yield "an empty secret", request(self.sign(self.body, millis, secret=""), self.body), "wrong_signature"
        yield "the signature of another body", request(self.sign(b"{}", millis), self.body), "wrong_signature"
        yield "a body that was re-serialised", request(good, respelt), "wrong_signature"
        yield "no body", request(good, b""), "wrong_signature"
        yield "an old one", request(self.sign(self.body, millis - LATE), self.body), "too_old"
        yield "one from the future", request(self.sign(self.body, millis + LATE), self.body), "from_the_future"
        twice = SignedRequest("POST", "/", "", [*good.items(), *good.items()], self.body)
        yield "every header twice", twice, "malformed"
        yield from self.particular(self, millis)


def request(headers: Mapping[str, str], body: bytes, path: str = "/", search: str = "") -> SignedRequest:
    return SignedRequest("POST", path, search, [*headers.items()], body)


def _of_contentful(scheme: Scheme, millis: int) -> Forged:
    name = "x-contentful-{}".format
    body, good = scheme.body, contentful.signed(scheme.body, millis)
    for part in ("signature", "timestamp", "signed-headers"):
        lacking = {key: value for key, value in good.items() if key != name(part)}
        yield f"without {part}", request(lacking, body), "missing_header"
    altered = {
        "an empty signature": ({name("signature"): ""}, "wrong_signature"),
        "a signature that is no ASCII": ({name("signature"): "é"}, "wrong_signature"),
        "a later timestamp": ({name("timestamp"): str(millis + 1)}, "wrong_signature"),
        "a timestamp that is not signed": ({name("signed-headers"): name("signed-headers")}, "unsigned_header"),
        "signed headers in another order": (
            {name("signed-headers"): f"{name('timestamp')},{name('signed-headers')}"},
            "wrong_signature",
        ),
        "a timestamp that is none": ({name("timestamp"): "-1"}, "malformed"),
        "a timestamp of 10,000 digits": ({name("timestamp"): "9" * 10_000}, "malformed"),
        "a timestamp with many zeros before it": ({name("timestamp"): "0" * 20 + "9" * 20}, "malformed"),
    }
    for what, (change, reason) in altered.items():
        yield what, request(good | change, body), reason
    yield "another method", request(contentful.signed(body, millis, method="PUT"), body), "wrong_signature"
    yield "another path", request(contentful.signed(body, millis, path="/other"), body), "wrong_signature"
    yield "a query that was added", request(good, body, search="a=1"), "wrong_signature"
    with_topic = contentful.signed(body, millis, topic="x")
    without = {key: value for key, value in with_topic.items() if key != "topic"}
    yield "a signed header that is missing", request(without, body), "missing_header"
    invented = {name("signed-headers"): f"{name('signed-headers')},{name('timestamp')},{SAID}"}
    yield "a signed header of the sender's invention", request(good | invented, body), "missing_header"
    yield "a signed header with another value", request(with_topic | {"topic": "y"}, body), "wrong_signature"


def _of_wagtail(scheme: Scheme, millis: int) -> Forged:
    (good,) = wagtail.signed(scheme.body, millis).values()
    hexadecimal = good.partition("v1=")[2]
    altered = {
        "an empty signature": (f"t={millis},v1=", "wrong_signature"),
        "a signature that is no ASCII": (f"t={millis},v1=é", "wrong_signature"),
        "a signature in capitals": (f"t={millis},v1={hexadecimal.upper()}", "wrong_signature"),
        "a part of the signature": (f"t={millis},v1={hexadecimal[:-1]}", "wrong_signature"),
        "another scheme": (f"t={millis},v0={hexadecimal}", "malformed"),
        "the parts in another order": (f"v1={hexadecimal},t={millis}", "malformed"),
        "two signatures": (f"{good},v1={hexadecimal}", "malformed"),
        "two timestamps": (f"t={millis},{good}", "malformed"),
        "no timestamp": (f"v1={hexadecimal}", "malformed"),
        "seconds in place of milliseconds": (f"t={millis // 1000},v1={hexadecimal}", "too_old"),
        "a later timestamp": (f"t={millis + 1},v1={hexadecimal}", "wrong_signature"),
        "a timestamp that is none": (f"t=-1,v1={hexadecimal}", "malformed"),
        "a timestamp in other digits": (f"t=١٢٣,v1={hexadecimal}", "malformed"),
        "a timestamp of 10,000 digits": (f"t={'9' * 10_000},v1={hexadecimal}", "malformed"),
        "a timestamp with many zeros before it": (f"t={'0' * 20}{'9' * 20},v1={hexadecimal}", "malformed"),
        "nothing": ("", "malformed"),
    }
    for what, (header, reason) in altered.items():
        yield what, request({wagtail_signature.SIGNATURE: header}, scheme.body), reason


SCHEMES = {
    "contentful": Scheme(
        *(contentful_signature.verify, contentful.SECRET),
        b'{"sys": {"id": "2aB", "publishedBy": {"sys": {"id": "ada"}}}}',
        *(contentful.signed, _of_contentful),
    ),
    "wagtail": Scheme(
        *(wagtail_signature.verify, wagtail.SECRET),
        b'{"event": "published", "entry": {"type": "offer", "id": "any"}, "by": "ada"}',
        *(wagtail.signed, _of_wagtail),
    ),
}
