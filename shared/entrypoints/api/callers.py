"""The callers of the API, and the placements that each caller may ask for."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import orjson

from shared.domain.errors import Rejected
from shared.entrypoints.api.problems import NOT_ALLOWED
from shared.settings import EVERY_PLACEMENT, Placements

HEADERS = ("x-serverless-authorization", "authorization")
"""The headers that may hold the token, the one that Cloud Run checks first.

If a request has both, Cloud Run checks the first alone and passes the second on unchecked: the caller is then
never taken from the second. https://cloud.google.com/run/docs/authenticating/service-to-service
"""
_BEARER = "bearer "


def caller_of(headers: Mapping[str, str]) -> str | None:
    """The e-mail address in the caller's OIDC token, from headers with lower-case names; None without one.

    The signature is not checked again, and cannot be: the service is only reached through Cloud Run's IAM, which
    has verified the token for this service and its `run.invoker` role, and has then replaced the signature. Where
    no IAM stands before the service, as on the emulators, a caller is whoever it says it is.
    """
    given = next((headers[name] for name in HEADERS if name in headers), "")
    if not given.lower().startswith(_BEARER):
        return None
    claims = _claims(given[len(_BEARER) :].strip())
    email = claims.get("email")
    return email if isinstance(email, str) and claims.get("email_verified") is True else None


def _claims(token: str) -> dict[str, Any]:
    """The claims of a JSON web token; none if it is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = orjson.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def may_use(placements: Placements | None, caller: str | None, placement: str) -> bool:
    """True if the caller may ask for offers in a placement. Without an allow-list everybody may."""
    if placements is None:
        return True
    allowed = placements.get(caller, ()) if caller else ()
    return EVERY_PLACEMENT in allowed or placement in allowed


def check_placement(placements: Placements | None, caller: str | None, placement: str) -> None:
    """Raise `Rejected` (`not_allowed`) if the caller may not ask for offers in a placement."""
    if not may_use(placements, caller, placement):
        expected = "one that UPBEAT_API_PLACEMENTS allows the caller"
        raise Rejected(NOT_ALLOWED, f"placement: expected {expected}, found another")
