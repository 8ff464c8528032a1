"""Signed links: nobody but Upbeat can make one, and nothing in it can be changed. They name no user."""

import hmac
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256


class Action(StrEnum):
    """The purpose of a link."""

    CLICK = "click"
    DISMISS = "dismiss"
    UNSUBSCRIBE = "unsubscribe"


class Links:
    """Makes and checks links. The first key signs; links that were signed with any of the others hold as well."""

    def __init__(self, base: str, keys: Sequence[str]) -> None:
        self.base = base.rstrip("/")
        self.keys = keys

    def link(self, action: Action, trigger_id: str) -> str:
        """The address of an action on the mail of a trigger."""
        return f"{self.base}/{action}/{trigger_id}/{_signature(self.keys[0], action, trigger_id)}"

    def read(self, path: str) -> tuple[Action, str] | None:
        """The action and the trigger's id in the path of a link; None unless it is one that `link` has made."""
        try:
            action, trigger_id, signature = path.removeprefix("/").split("/")
            known = Action(action)
        except ValueError:
            return None
        given = signature.encode()
        matches = [hmac.compare_digest(given, _signature(key, known, trigger_id).encode()) for key in self.keys]
        return (known, trigger_id) if any(matches) else None


def _signature(key: str, action: Action, trigger_id: str) -> str:
    return hmac.new(key.encode(), f"{action}\0{trigger_id}".encode(), sha256).hexdigest()
