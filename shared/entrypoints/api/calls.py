"""One call of the API, the same over HTTP and gRPC: it is checked, bounded in time, answered and logged."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from shared import wiring
from shared.contracts.api import requests
from shared.contracts.api.methods import METHODS, READING
from shared.contracts.api.requests import ApiRequest
from shared.domain.errors import Rejected, Transient
from shared.entrypoints.api.callers import check_placement, may_use
from shared.entrypoints.api.problems import UNEXPECTED_ERROR, Problem, problem_of
from shared.entrypoints.api.service import Answer, DecisionsService
from shared.observability.event_log import ColdStart, EventFields, hash_user, timing_fields
from shared.wiring import Wiring

log = logging.getLogger(__name__)

MAX_SECONDS = 10.0
"""The longest time for one call; a caller may ask for less. Every call of the store fits into it."""
NO_METHOD = "none"
"""The method in the line of a call if a request names none that is served."""
ANSWERED, REFUSED, FAILED = "answered", "refused", "failed"
CALLER_GONE = "caller_gone"
"""The reason in the line of a call whose answer nobody waits for any more."""


class Call(NamedTuple):
    """One call."""

    method: str
    """Its name in the .proto file."""
    content: Mapping[str, Any] | Callable[[], Awaitable[Mapping[str, Any]]]
    """The fields of the request as they came; or a function that receives them, within the call's time."""
    caller: str | None = None
    """The caller's e-mail address, see `callers.caller_of`."""
    seconds: float = MAX_SECONDS
    """The time that the caller gives it."""


class CallHandler:
    """Answers calls. There is one in a process, so that what its service remembers is used."""

    def __init__(self, wired: Wiring) -> None:
        service = DecisionsService(wired)
        self.wired = wired
        self._cold_start = ColdStart()
        self._begun: set[asyncio.Task[Answer]] = set()
        """The calls that change something and are not done."""
        self._methods: dict[str, Callable[[Any], Coroutine[Any, Any, Answer]]] = {
            "GetSubscription": service.get_subscription,
            "GetEntitlement": service.get_entitlement,
            "Decide": service.decide,
            "ListOffers": service.list_offers,
            "GiveFeedback": service.give_feedback,
            "Explain": service.explain,
        }

    async def handle(self, call: Call) -> Answer | Problem:
        """The answer to a call, or why there is none, once its line is logged.

        What changes something is brought to its end though its time is over or its caller goes away: what is
        committed must also be published. A repeat then has its answer.
        """
        received_at = self.wired.clock.now()
        fields: EventFields = {"method": call.method, "cold_start": self._cold_start.take()}
        try:
            answer = await self._in_time(call, fields)
        except asyncio.CancelledError:
            fields |= timing_fields(None, received_at, self.wired.clock.now())
            extra = {"fields": {**fields, "outcome": FAILED, "reason": CALLER_GONE}}
            log.info("%s: nobody waits for the answer", call.method, extra=extra)
            raise
        except Exception as error:
            fields |= timing_fields(None, received_at, self.wired.clock.now())
            return _logged(call.method, error, fields)
        fields |= timing_fields(None, received_at, self.wired.clock.now())
        log.info("%s: %s", call.method, ANSWERED, extra={"fields": {**fields, "outcome": ANSWERED}})
        return answer

    def refuse(self, error: Rejected) -> Problem:
        """The problem of a request that names no method that is served here, after its line was logged."""
        return _logged(NO_METHOD, error, {"method": NO_METHOD, "cold_start": self._cold_start.take()})

    async def finish(self) -> None:
        """Wait until what was begun is done."""
        await asyncio.gather(*self._begun, return_exceptions=True)

    async def _in_time(self, call: Call, fields: EventFields) -> Answer:
        """The answer. Raises `TimeoutError` if the call's time is over before."""
        if call.seconds <= 0:
            raise TimeoutError
        async with asyncio.timeout(min(call.seconds, MAX_SECONDS)):
            request = await self._request(call, fields)
            answering = self._methods[call.method](request)
            answer = await (answering if call.method in READING else self._begin(answering))
        if "offers" in answer:
            allowed = self.wired.api_placements
            mine = [one for one in answer["offers"] if may_use(allowed, call.caller, one["placement"])]
            return {**answer, "offers": mine}
        return answer

    async def _request(self, call: Call, fields: EventFields) -> ApiRequest:
        content = await call.content() if callable(call.content) else call.content
        request = requests.read(METHODS[call.method].request, dict(content))
        if self.wired.user_hash_key:
            fields["user_hash"] = hash_user(request.user_id, self.wired.user_hash_key)
        if placement := getattr(request, "placement", None):
            check_placement(self.wired.api_placements, call.caller, placement)
        return request

    def _begin(self, answering: Coroutine[Any, Any, Answer]) -> Awaitable[Answer]:
        task = asyncio.create_task(answering)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return asyncio.shield(task)


class _Kept:
    """The handler of this process."""

    handler: CallHandler | None = None


def current() -> CallHandler:
    """The handler for the wiring of this process. Raises `InvalidSettings` if it cannot be wired."""
    wired = wiring.current()
    if _Kept.handler is None or _Kept.handler.wired is not wired:
        _Kept.handler = CallHandler(wired)
    return _Kept.handler


def _logged(method: str, error: Exception, fields: EventFields) -> Problem:
    """The problem that an error is. Its line: a refusal is the caller's matter, and a bug has its traceback."""
    problem = problem_of(error)
    outcome = REFUSED if isinstance(error, Rejected) else FAILED
    extra = {"fields": {**fields, "outcome": outcome, "reason": str(problem.reason)}}
    if problem.reason == UNEXPECTED_ERROR:
        log.error("%s: unexpected error", method, exc_info=error, extra=extra)
    elif isinstance(error, Transient | TimeoutError):
        log.warning("%s: %s: %s", method, problem.reason, error, extra=extra)
    else:
        log.info("%s: refused: %s", method, error, extra=extra)
    return problem
