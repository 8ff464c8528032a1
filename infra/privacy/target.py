"""The Upbeat in which a user is erased: a store's file, or a running one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from infra.raw.erased import Erased
from shared.record.user_record import UserRecord

Counts = Mapping[str, int]
"""Counts of what there is of a user, or was removed, by the place in words."""


class Target(Protocol):
    """A place that has documents, messages and files about users. Every method raises `InfraError` if it fails."""

    def erase(self, user_id: str, at: datetime) -> UserRecord:
        """Erase the user by an event of this instant (UTC); what is left of the user's record."""
        ...

    def purge(self, erased: Erased, *, dry: bool = False) -> Counts:
        """Remove what no function reaches; if `dry`, only count it. It is safe to do so again."""
        ...

    def remove_tombstone(self, user_id: str) -> None:
        """Delete the document of a user, if it is a tombstone still."""
        ...


def just_before(user_id: str) -> str:
    """A position that names nobody in place of a user's. From it, a few users are processed once more."""
    return user_id[:-1]
