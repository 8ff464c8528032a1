"""The problems of the API: each reason with its HTTP status, its gRPC code and its title, in one table.

Over HTTP a problem is an `application/problem+json` document: https://www.rfc-editor.org/rfc/rfc9457.
"""

from typing import Any, NamedTuple

from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected, Transient

NOT_ALLOWED = "not_allowed"
UNAVAILABLE = "unavailable"
DEADLINE_EXCEEDED = "deadline_exceeded"
UNEXPECTED_ERROR = "unexpected_error"
NOT_FOUND = "not_found"
METHOD_NOT_ALLOWED = "method_not_allowed"
NOT_ACCEPTABLE = "not_acceptable"
UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
TYPE = "urn:upbeat:problem:"
"""With a reason after it, the `type` of a problem: a name that says nothing of where it is described."""
RETRY_AFTER_SECONDS = 1
"""The wait before a request is sent again that may then succeed."""


class Kind(NamedTuple):
    """The parts that all problems of one reason share."""

    status: int
    """The HTTP status."""
    code: str
    """The name of the gRPC code. https://grpc.io/docs/guides/status-codes/"""
    title: str


KINDS: dict[str, Kind] = {
    RejectionReason.NOT_JSON: Kind(400, "INVALID_ARGUMENT", "The body is not JSON"),
    RejectionReason.INVALID: Kind(422, "INVALID_ARGUMENT", "A field is missing or breaks its rule"),
    RejectionReason.UNKNOWN_VALUE: Kind(422, "INVALID_ARGUMENT", "A closed list does not have this value"),
    RejectionReason.FUTURE_DATED: Kind(422, "INVALID_ARGUMENT", "The time is ahead of the clock"),
    RejectionReason.TOO_LARGE: Kind(413, "RESOURCE_EXHAUSTED", "The request is too large"),
    RejectionReason.ID_REUSED: Kind(409, "ALREADY_EXISTS", "The id was used for another request"),
    RejectionReason.UNKNOWN_TRIGGER: Kind(404, "NOT_FOUND", "No such trigger is among the user's recent ones"),
    NOT_ALLOWED: Kind(403, "PERMISSION_DENIED", "The caller may not do this"),
    NOT_FOUND: Kind(404, "UNIMPLEMENTED", "No such method"),
    METHOD_NOT_ALLOWED: Kind(405, "UNIMPLEMENTED", "The path does not answer this HTTP method"),
    NOT_ACCEPTABLE: Kind(406, "INVALID_ARGUMENT", "The answer is JSON only"),
    UNSUPPORTED_MEDIA_TYPE: Kind(415, "INVALID_ARGUMENT", "The body must be JSON"),
    DEADLINE_EXCEEDED: Kind(504, "DEADLINE_EXCEEDED", "The time for the request is over"),
    UNAVAILABLE: Kind(503, "UNAVAILABLE", "The service is unavailable for now"),
    UNEXPECTED_ERROR: Kind(500, "INTERNAL", "The service failed"),
}
REPEATABLE = frozenset({UNAVAILABLE, DEADLINE_EXCEEDED})
"""Reasons for which the same request may succeed later: a repeat with the same ids has no second effect."""


class Problem(NamedTuple):
    """The reason why a request was not answered. `detail` repeats no value of the request."""

    reason: str
    detail: str

    @property
    def kind(self) -> Kind:
        """The row of the table for the reason."""
        return KINDS[self.reason]

    @property
    def retry_after(self) -> int | None:
        """The seconds to wait before the request is sent again; None if a repeat would have the same answer."""
        return RETRY_AFTER_SECONDS if self.reason in REPEATABLE else None

    def document(self) -> dict[str, Any]:
        """The problem as JSON, by RFC 9457."""
        kind = self.kind
        return {
            "type": f"{TYPE}{self.reason}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            "reason": str(self.reason),
        }


def problem_of(error: Exception) -> Problem:
    """The problem that an error is to the caller. Only a `Rejected` says in its own words what is wrong."""
    match error:
        case Rejected():
            return Problem(error.reason, error.detail)
        case Transient():
            return Problem(UNAVAILABLE, "expected an answer of the store or the bus, found none; try again")
        case TimeoutError():
            return Problem(DEADLINE_EXCEEDED, "expected to be done within the request's time, found it over")
        case _:
            return Problem(UNEXPECTED_ERROR, "expected to answer, found an error of the service; it is logged")
