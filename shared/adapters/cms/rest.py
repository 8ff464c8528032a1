"""The HTTP API of a CMS, called with a bearer token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shared.domain.errors import Transient

MAX_BYTES = 7_000_000
"""The largest answer that is read; Contentful's have less than 7 MB."""
SECONDS = 10.0
"""The bound on one call, in seconds."""


@dataclass(frozen=True)
class Rest:
    """The API of one CMS. Every method raises `Transient`, without anything of an answer's content."""

    name: str
    """The CMS, for messages."""
    url: str
    """The address with which every call's begins: https, or http on this machine."""
    token: str = field(repr=False)

    def get(self, path: str, query: Mapping[str, object]) -> Any:
        """The JSON value at a path."""
        body = self._call("GET", f"{path}?{urlencode(query)}", None)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self.failure(path, error) from error

    def put(self, path: str, content: object) -> None:
        """Put a JSON value to a path."""
        self._call("PUT", path, json.dumps(content).encode())

    def failure(self, path: str, error: Exception) -> Transient:
        """The error to raise for an answer with an error in it."""
        told = f"HTTP status {error.code}" if isinstance(error, HTTPError) else type(error).__name__
        return Transient(f"{self.name}: no usable answer from {path}: {told}")

    def _call(self, method: str, path: str, data: bytes | None) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = Request(f"{self.url}{path}", data, headers, method=method)  # noqa: S310 - settings allow http and https alone
        try:
            with _opener.open(request, timeout=SECONDS) as answer:
                body: bytes = answer.read(MAX_BYTES + 1)
        except (OSError, HTTPException, ValueError) as error:
            raise self.failure(path.partition("?")[0], error) from error
        if len(body) > MAX_BYTES:
            raise Transient(f"{self.name}: expected an answer of at most {MAX_BYTES} bytes, found more")
        return body


class _NoRedirects(HTTPRedirectHandler):
    """A redirect is an error: it would take the token to another address."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        """Follow none."""


_opener = build_opener(_NoRedirects)
