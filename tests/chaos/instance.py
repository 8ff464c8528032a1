"""The `main.py` of an instance under test: the packaged function, with a skewed clock, and sabotaged on demand.

The harness puts it in the place of the packaged `main.py`, which becomes `packaged_main.py`. It changes the
product from outside only, and fails at start if what it changes is not there any more.
"""

import os
from datetime import UTC, datetime, timedelta

import functions_framework.aio
import packaged_main
import sabotage
from starlette.requests import Request
from starlette.responses import Response

from shared.adapters.clock import SystemClock

SKEW = timedelta(seconds=float(os.environ["CHAOS_SKEW_SECONDS"]))
NAME = os.environ["FUNCTION_TARGET"]
PACKAGED = getattr(packaged_main, NAME)


def _skewed(_: SystemClock) -> datetime:
    return datetime.now(UTC) + SKEW


async def function(request: Request) -> Response:
    """The packaged function; under one of the sabotages, what failed is acknowledged."""
    response: Response = await PACKAGED(request)
    if sabotage.ACKNOWLEDGES_FAILURES and response.status_code >= 500:
        response.status_code = 204
    return response


assert hasattr(SystemClock, "now")
SystemClock.now = _skewed  # type: ignore[method-assign]
sabotage.apply()
function.__name__ = function.__qualname__ = NAME
globals()[NAME] = function
functions_framework.aio.http(function)
