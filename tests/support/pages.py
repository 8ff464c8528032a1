"""The page of a user, for tests that have only the user's document."""

from datetime import datetime

from rich.console import Group

from infra.inspect.user_page import Shown, page
from shared.domain.terms import Terms
from shared.queries.life import life
from shared.record.user_record import UserRecord


def page_of(record: UserRecord, now: datetime, terms: Terms) -> Group:
    """The output of `show` for a document without a raw log."""
    return page(Shown(record, now, terms, life(record.user_id, None, record, terms)))
