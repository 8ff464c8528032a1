"""Reads everything about one user from the sources: the document, and the messages in the raw log."""

from datetime import datetime
from typing import NamedTuple

from infra.console.sources import Sources
from infra.errors import InfraError
from shared.queries.life import Life, life
from shared.queries.past import Past
from shared.queries.past_log import Logged, from_log_alone
from shared.record.user_record import UserRecord


class Known(NamedTuple):
    """Everything that is known of a user."""

    life: Life
    record: UserRecord | None
    """The document; if it is gone or cannot be read, what the raw log tells of it. None if nothing does."""
    from_log: Past | None
    """The record with what is missing of it, if the raw log alone tells it."""
    problem: str
    """The reason why the document cannot be read; empty if it can, or if there is none."""
    logged: list[Logged] | None
    """The messages about the user, oldest first; None where there is no raw log."""

    @property
    def is_anything(self) -> bool:
        """False for a user of whom nothing is known."""
        return bool(self.problem or self.record)


def known_of(sources: Sources, user_id: str, now: datetime) -> Known:
    """Everything known about a user at `now` (UTC). A document that cannot be read does not hide the log."""
    logged = messages_about(sources, user_id)
    record, problem = None, ""
    try:
        record = sources.documents.read(user_id)
    except InfraError as error:
        problem = str(error)
    told = life(user_id, logged, record, sources.terms)
    past = (
        from_log_alone(user_id, logged, now, sources.terms) if record is None and logged and told.entries else None
    )
    return Known(told, record or (past.record if past else None), past, problem, logged)


def messages_about(sources: Sources, user_id: str) -> list[Logged] | None:
    """The messages about a user in the raw log, oldest first; None where there is none."""
    if sources.log is None:
        return None
    try:
        sources.log.refresh()
        return [message.logged for message in sources.log.about(user_id)]
    except OSError as error:
        problem = f"expected a raw log, found a file that cannot be read: {error}"
        raise InfraError(f"{sources.log.folder}: {problem}") from error
