"""The API that Upbeat asks: the published entries, and a place for the mistakes that it finds in them."""

import functools
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError

from entries import published
from entries.reports import Reported, keep
from shared.contracts.strict_json import read_object
from shared.decisioning.document.problems import malformed
from shared.domain.errors import Rejected

MAX_LIMIT, LIMIT = 500, 100
MAX_BYTES = 2_000_000
"""The largest report: thousands of mistakes."""
_cursor_of = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})").fullmatch

View = Callable[[HttpRequest], JsonResponse]


def _answer(status: int, content: Mapping[str, Any]) -> JsonResponse:
    return JsonResponse(content, status=status, headers={"Cache-Control": "no-store"})


def _for_upbeat(method: str) -> Callable[[View], View]:
    """A view for one method, and for who has the token. No cookie counts here, so no other site can use one."""

    def decorated(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def checked(request: HttpRequest) -> JsonResponse:
            if not _is_upbeat(request):
                answer = _answer(401, {"error": "Authorization: expected the token, found none or another"})
                answer.headers["WWW-Authenticate"] = "Bearer"
                return answer
            if request.method != method:
                answer = _answer(405, {"error": f"method: expected {method}, found {request.method}"})
                answer.headers["Allow"] = method
                return answer
            return view(request)

        return checked

    return decorated


def _is_upbeat(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    expected = settings.API_TOKEN
    return bool(expected) and hmac.compare_digest(given, f"Bearer {expected}".encode())


@_for_upbeat("GET")
def entries(request: HttpRequest) -> JsonResponse:
    """One page of the published entries.

    `next` is the cursor of the page after it. It holds for as long as nothing else is published: 409 then, and the
    reader begins again.
    """
    limit, after = request.GET.get("limit", str(LIMIT)), request.GET.get("after", "")
    if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= MAX_LIMIT:
        return _answer(
            400, {"error": f"limit: expected a whole number from 1 to {MAX_LIMIT}, found {limit[:100]!r}"}
        )
    state, start = published.state(), 0
    if after:
        if (cursor := _cursor_of(after)) is None:
            return _answer(400, {"error": f"after: expected a cursor of this site, found {after[:100]!r}"})
        if int(cursor[1]) != state:
            return _answer(409, {"error": "the entries have changed while they were read: begin again"})
        start = int(cursor[2])
    found, has_more = published.page(start, int(limit))
    return _answer(200, {"entries": found, "next": f"{state}.{start + len(found)}" if has_more else None})


@_for_upbeat("PUT")
def reports(request: HttpRequest) -> JsonResponse:
    """Replace all mistakes that were reported before."""
    body = request.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        return _answer(413, {"error": f"the body: expected at most {MAX_BYTES} bytes, found more"})
    try:
        reported = Reported.model_validate(read_object(body))
    except Rejected as rejected:
        return _answer(400, {"error": rejected.detail})
    except ValidationError as error:
        return _answer(400, {"error": next(malformed(error, "report", Reported.model_fields))})
    keep(reported)
    return _answer(200, {"mistakes": len(reported.mistakes)})
