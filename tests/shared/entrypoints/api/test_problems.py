"""The table of problems: every reason of the API has an HTTP status, a gRPC code and a title."""

import grpc
import pytest

from shared.contracts.reasons import RejectionReason
from shared.domain.errors import Rejected, Transient
from shared.entrypoints.api.problems import KINDS, Problem, problem_of

OF_MESSAGES = {RejectionReason.BAD_ENVELOPE, RejectionReason.UNKNOWN_TOPIC, RejectionReason.UNDELIVERED}
"""Reasons that only a message on Pub/Sub can have."""


def test_every_reason_of_a_request_is_in_the_table() -> None:
    assert set(RejectionReason) - OF_MESSAGES <= set(KINDS)


@pytest.mark.parametrize("reason", KINDS)
def test_a_reason_has_an_error_status_and_a_code_that_grpc_knows(reason: str) -> None:
    kind = KINDS[reason]
    assert 400 <= kind.status <= 599
    assert grpc.StatusCode[kind.code] is not grpc.StatusCode.OK
    assert kind.title


@pytest.mark.parametrize(
    ("error", "reason", "status", "retry_after"),
    [
        (Rejected(RejectionReason.ID_REUSED, "x"), "id_reused", 409, None),
        (Transient("firestore: UNAVAILABLE"), "unavailable", 503, 1),
        (TimeoutError(), "deadline_exceeded", 504, 1),
        (KeyError("u-secret"), "unexpected_error", 500, None),
    ],
)
def test_an_error_is_a_problem(error: Exception, reason: str, status: int, retry_after: int | None) -> None:
    problem = problem_of(error)
    assert (problem.reason, problem.kind.status, problem.retry_after) == (reason, status, retry_after)
    assert "u-secret" not in problem.detail


def test_a_problem_is_a_document_of_rfc_9457() -> None:
    document = Problem("invalid", "user_id: expected a value, found none").document()
    assert document == {
        "type": "urn:upbeat:problem:invalid",
        "title": "A field is missing or breaks its rule",
        "status": 422,
        "detail": "user_id: expected a value, found none",
        "reason": "invalid",
    }
