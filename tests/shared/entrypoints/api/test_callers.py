"""Callers of the API: what Cloud Run has checked of them is believed, and nothing else."""

from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest

from shared.domain.errors import Rejected
from shared.entrypoints.api.callers import caller_of, check_placement, may_use

APP = "app@upbeat.iam.gserviceaccount.com"


def bearer(email: str = APP, **claims: Any) -> str:
    """A header as a service behind Cloud Run's IAM sees it: the signature is replaced."""
    payload = orjson.dumps({"email": email, "email_verified": True, **claims})
    return f"Bearer e30.{urlsafe_b64encode(payload).decode().rstrip('=')}.SIGNATURE_REMOVED_BY_GOOGLE"


def test_the_caller_is_the_email_of_the_token() -> None:
    assert caller_of({"authorization": bearer()}) == APP
    assert caller_of({"authorization": bearer().replace("Bearer", "bearer")}) == APP


def test_a_token_that_cloud_run_has_not_checked_names_nobody() -> None:
    """Of two tokens, Cloud Run checks the one in the header of its own."""
    forged = {"x-serverless-authorization": bearer("reader@x"), "authorization": bearer("admin@x")}
    assert caller_of(forged) == "reader@x"
    assert caller_of({"x-serverless-authorization": "Bearer a.b.c", "authorization": bearer()}) is None


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic dTpw",
        "Bearer",
        "Bearer a.b",
        "Bearer a.!!!.c",
        "Bearer a.W10.c",
        bearer(email_verified=False),
        bearer(email_verified="true"),
        bearer(email=7),  # type: ignore[arg-type]
        "Bearer a.\udcff.c",
    ],
)
def test_anything_else_names_nobody(given: str) -> None:
    assert caller_of({"authorization": given}) is None
    assert caller_of({}) is None


def test_without_a_list_everybody_may_use_every_placement() -> None:
    assert may_use(None, None, "home")


def test_with_a_list_a_caller_may_use_its_own_placements() -> None:
    table = {APP: ("home",), "all@x": ("*",), "none@x": ()}
    check_placement(table, APP, "home")
    check_placement(table, "all@x", "anything")
    for caller, placement in ((APP, "paywall"), ("none@x", "home"), ("stranger@x", "home"), (None, "home")):
        with pytest.raises(Rejected, match="not_allowed: placement: expected one that UPBEAT_API_PLACEMENTS"):
            check_placement(table, caller, placement)
