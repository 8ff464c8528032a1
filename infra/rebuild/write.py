"""Writes documents that were made again: what is missing is created, and a living document wins."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum

from infra.rebuild.work import Made
from shared.domain.errors import Conflict, Transient
from shared.domain.terms import Terms
from shared.ports import Document, Stored, Subscriptions
from shared.record.codec import UnreadableRecord, unpack

ATTEMPTS = 5
"""Attempts on a store that does not answer."""
FIRST_WAIT_SECONDS = 0.2
"""The wait after the first of them. It doubles with each further one."""


class Outcome(StrEnum):
    """The result for one user."""

    CREATED = "created"
    REPLACED = "replaced"
    KEPT = "kept"
    """There is a living document, or one that says the same."""
    NOTHING = "nothing"
    """The log tells of no event that was accepted, so that there is nothing to make."""
    UNREADABLE = "unreadable"
    """There is a document that this version cannot read, so that nobody knows when it was committed."""
    FAILED = "failed"
    """The store did not answer."""


class Writer:
    """Writes documents to a store, each on the condition that nobody writes it meanwhile."""

    def __init__(
        self,
        documents: Subscriptions,
        terms: Terms,
        *,
        replace_before: datetime | None = None,
        dry_run: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """With `replace_before`, documents whose last commit was before that instant (UTC) are replaced."""
        self.documents = documents
        self.terms = terms
        self.replace_before = replace_before
        self.dry_run = dry_run
        self.sleep = sleep

    async def write(self, made: Made) -> Outcome:
        """Write the document of one user."""
        for attempt in range(ATTEMPTS):
            try:
                return await self._write(made)
            except Transient:
                await self.sleep(FIRST_WAIT_SECONDS * 2**attempt)
        return Outcome.FAILED

    async def _write(self, made: Made) -> Outcome:
        document = made.document
        if document is None:
            return Outcome.NOTHING
        outcome, version = Outcome.CREATED, None
        if self.replace_before or self.dry_run:
            stored = await self.documents.load(made.user_id)
            if stored.version is not None:
                outcome, version = self._replaceable(stored, document), stored.version
        if self.dry_run or outcome not in {Outcome.CREATED, Outcome.REPLACED}:
            return outcome
        try:
            await self.documents.commit(document, version)
        except Conflict:  # it lives, or has come to life meanwhile
            return Outcome.KEPT
        return outcome

    def _replaceable(self, stored: Stored, made: Document) -> Outcome:
        """The result for a document that exists. A tombstone stays: the user was erased since."""
        if self.replace_before is None or stored.blob is None or stored.blob == made.blob:
            return Outcome.KEPT
        try:
            living = unpack(stored.blob, self.terms)
        except UnreadableRecord:
            return Outcome.UNREADABLE
        is_before = living.as_of is not None and living.as_of < self.replace_before
        return Outcome.REPLACED if is_before else Outcome.KEPT
