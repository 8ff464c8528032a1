"""Addresses of the console's pages."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode


def of_user(user_id: str, **query: str) -> str:
    """The page of a user, whatever characters the id has; browsers would walk up the path at `.` and `..`."""
    if user_id in {".", ".."}:
        return "/users/?" + urlencode({"id": user_id, **query})
    return f"/users/{quote(user_id, safe='', errors='replace')}" + (f"?{urlencode(query)}" if query else "")


def changed(query: Mapping[str, str], **changes: str | None) -> str:
    """The same page with some of its parameters changed, relative to it; None removes one."""
    values = {name: value for name, value in {**query, **changes}.items() if value is not None}
    return f"?{urlencode(values)}"
