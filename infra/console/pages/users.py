"""Users: search by the beginning of an id, and the users of the newest messages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.console.context import Console
from infra.raw.follower import LogMessage
from shared.contracts.inbound.fields import ID_IN_WORDS, is_id

MOST_FOUND = 100
MOST_RECENT = 25


class Found(NamedTuple):
    """A user whose id begins as was asked."""

    user_id: str
    has_document: bool
    is_logged: bool


class Recent(NamedTuple):
    """A user of the newest messages, with the newest one."""

    user_id: str
    at: datetime
    topic: str


def routes(console: Console) -> Sequence[Route]:
    """The page."""

    def users(request: Request) -> Response:
        prefix = request.query_params.get("q", "").strip()
        problem = f"No user has such an id: expected {ID_IN_WORDS}." if prefix and not is_id(prefix) else ""
        log = console.sources.log
        if log:
            log.refresh()
        found = _found(console, prefix) if prefix and not problem else []
        return console.render.page(
            request,
            "users.html",
            prefix=prefix,
            problem=problem,
            found=found[:MOST_FOUND],
            has_more=len(found) > MOST_FOUND,
            first=[] if prefix else console.sources.documents.names("", MOST_RECENT),
            recent=_recent(log.recent()[::-1]) if log else [],
            is_logged=log is not None,
        )

    return [Route("/users", users)]


def _found(console: Console, prefix: str) -> list[Found]:
    """The users whose ids begin with a prefix, in the documents and in the log."""
    log, most = console.sources.log, MOST_FOUND + 1
    stored = {*console.sources.documents.names(prefix, most)}
    logged = {*(log.users(prefix, most) if log else ())}
    return [Found(user, user in stored, user in logged) for user in sorted(stored | logged)[:most]]


def _recent(newest_first: Iterable[LogMessage]) -> list[Recent]:
    """The users of the newest messages, each once."""
    users: dict[str, Recent] = {}
    for message in newest_first:
        if len(users) == MOST_RECENT:
            break
        if user := message.user_id:
            users.setdefault(user, Recent(user, message.landed.publish_time, message.topic))
    return [*users.values()]
