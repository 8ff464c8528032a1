"""A request over HTTP: the method of the API that it names, and the fields that it gives."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from starlette.requests import ClientDisconnect

from shared.contracts.api.methods import GET, METHODS
from shared.contracts.reasons import RejectionReason
from shared.contracts.strict_json import read_object
from shared.domain.errors import Rejected, Transient
from shared.entrypoints.api.calls import MAX_SECONDS
from shared.entrypoints.api.problems import (
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    UNSUPPORTED_MEDIA_TYPE,
)
from shared.entrypoints.body import check_complete, read_body

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY_BYTES = 16 * 1024
"""The largest body: all the fields of a request have less."""
JSON = "application/json"
TIMEOUT_HEADER = "x-request-timeout"
"""The time that the caller gives the request, in seconds."""
KEY_HEADER = "idempotency-key"
"""The idempotency key of a decision, instead of the field: with or without the quotes of a structured header.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""
SECONDS_PATTERN = r"^(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,6})?$"
_is_seconds = re.compile(SECONDS_PATTERN.replace("$", r"\Z")).match
_is_integer = re.compile(r"-?[0-9]{1,20}").fullmatch


_PATTERNS = {
    name: re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]*)", method.path)) for name, method in METHODS.items()
}
"""The paths, with a group for each field in them."""
_QUERIES = {
    name: [field for field in method.request.model_fields if f"{{{field}}}" not in method.path]
    if method.verb == GET
    else []
    for name, method in METHODS.items()
}
"""The parameters that a query may have."""


class Target(NamedTuple):
    """The target of a request."""

    name: str
    """The method of the API."""
    fields: dict[str, str]
    """The fields that are parts of the path."""


class WrongVerb(Rejected):
    """The path answers other HTTP methods, which `allowed` names."""

    def __init__(self, allowed: list[str]) -> None:
        self.allowed = ", ".join(allowed)
        super().__init__(METHOD_NOT_ALLOWED, f"the HTTP method: expected {' or '.join(allowed)}, found another")


def target_of(request: "Request") -> Target:
    """The method that a path names. Raises `Rejected`: `not_found`, or `method_not_allowed` as a `WrongVerb`.

    The path is taken apart before it is decoded: an encoded slash is part of an id, which is then invalid.
    """
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("ascii", "replace")
    verb = GET if request.method == "HEAD" else request.method
    verbs = set()
    for name, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(path):
            if METHODS[name].verb == verb:
                fields = {field: unquote(text, errors="replace") for field, text in match.groupdict().items()}
                return Target(name, fields)
            verbs.add(METHODS[name].verb)
    if not verbs:
        raise Rejected(NOT_FOUND, "the path: expected one of the OpenAPI document, found another")
    raise WrongVerb([*sorted(verbs), "HEAD"] if GET in verbs else sorted(verbs))


async def content_of(request: "Request", target: Target) -> dict[str, Any]:
    """The fields of a request. Raises `Rejected` for what is none, and `Transient` if the client goes away."""
    method = METHODS[target.name]
    _check_accept(request.headers.get("accept", "*/*"))
    query = _query(request, target.name)
    if method.verb == GET:
        return query | target.fields
    _check_media_type(request)
    try:
        received = await read_body(request, MAX_BODY_BYTES)
    except ClientDisconnect:
        raise Transient("the client went away before its request was complete") from None
    check_complete(received, MAX_BODY_BYTES)
    body = read_object(received.data)
    for name in target.fields.keys() & body.keys():
        raise _invalid(name, "no such field in the body, as the path has it", "one")
    content = _with_key(request, body) if "idempotency_key" in method.request.model_fields else body
    return content | target.fields


def seconds_of(request: "Request") -> float:
    """The time that the caller gives the request. Raises `Rejected` (`invalid`) for an ill-formed header."""
    given = request.headers.get(TIMEOUT_HEADER)
    if given is None:
        return MAX_SECONDS
    if not _is_seconds(given):
        raise _invalid(f"the header {TIMEOUT_HEADER}", "a number of seconds above 0", "something else")
    return float(given)


def _query(request: "Request", name: str) -> dict[str, Any]:
    """The query's parameters, each in the type of its field. Raises `Rejected` (`invalid`)."""
    content: dict[str, Any] = {}
    if not request.scope["query_string"]:
        return content
    known = _QUERIES[name]
    for field, text in request.query_params.multi_items():
        if field not in known:
            expected = f"one of {', '.join(known)}" if known else "none"
            raise _invalid("the query's parameters", expected, "another")
        if field in content:
            raise _invalid(field, "one value", "two")
        content[field] = _READ.get(field, str)(text)
    return content


def _integer(text: str) -> int | str:
    """The integer; a text that is none stays one, so that the model refuses it in its own words."""
    return int(text) if _is_integer(text) else text


def _flag(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


_READ: dict[str, Callable[[str], Any]] = {"every": _flag, "min_sequence": _integer}
"""The readers of the parameters that are not texts."""


def _with_key(request: "Request", body: dict[str, Any]) -> dict[str, Any]:
    """The body with the idempotency key of the header. Raises `Rejected` (`invalid`) if the body has another."""
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return body
    key = given[1:-1] if len(given) >= 2 and given[0] == given[-1] == '"' else given
    if body.get("idempotency_key", key) != key:
        raise _invalid("idempotency_key", f"the value of the header {KEY_HEADER}", "another")
    return {**body, "idempotency_key": key}


def _check_accept(accept: str) -> None:
    for media_range in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in media_range.split(";"))
        refused = any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
        if media_type in {JSON, "application/*", "*/*"} and not refused:
            return
    raise Rejected(NOT_ACCEPTABLE, f"the header accept: expected {JSON} among its types, found none such")


def _check_media_type(request: "Request") -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise Rejected(UNSUPPORTED_MEDIA_TYPE, f"the header content-type: expected {JSON}, found another")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Rejected(UNSUPPORTED_MEDIA_TYPE, "the header content-encoding: expected none, found one")


def _invalid(place: str, expected: str, found: str) -> Rejected:
    return Rejected(RejectionReason.INVALID, f"{place}: expected {expected}, found {found}")
