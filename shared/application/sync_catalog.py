"""The use case of a catalog that editors keep entry by entry: read all entries, check them, publish them as one.

Nothing is published unless every entry was read and the whole catalog is valid. Requests that come while a sync is
under way are served by it: the one who asks last is answered by what the source holds then.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from shared.decisioning.catalog import Catalog
from shared.decisioning.compile import compile_catalog
from shared.decisioning.document.approvals import changes
from shared.decisioning.document.artifact_checks import Artifacts, with_artifacts
from shared.decisioning.document.entries import Entry, Mistake, assemble
from shared.decisioning.document.schema import CatalogDocument
from shared.domain.errors import Conflict, InvalidCatalog, Transient
from shared.ports import CatalogStore, Clock, Entries, InForce, Lease, Said, SyncState

LEASE = timedelta(minutes=3)
"""The time after which a sync counts as dead: longer than the function may run."""
MAX_ROUNDS = 8
"""The times that one sync reads the source because of requests that came meanwhile."""
MAX_ATTEMPTS = 20
"""Attempts to save the state while others save it."""
MAX_AUTHORS = 50
"""The people who are remembered of requests that wait, and who are named in a record."""
WAIT_AFTER_CONFLICT = 0.02
"""Seconds before the second attempt; each further one waits as much longer."""


FindArtifacts = Callable[[CatalogDocument], Awaitable[Mapping[str, bytes]]]
"""Finds the scores and policies that a catalog names, by their paths."""


class SyncOutcome(StrEnum):
    """The outcome of a request for a sync."""

    PUBLISHED = "published"
    WAITING = "waiting"
    """The catalog awaits an approval."""
    UNCHANGED = "unchanged"
    """The source holds what was read last, or what is in force."""
    INVALID = "invalid"
    """There are mistakes: the catalog in force stays."""
    VALID = "valid"
    """There are no mistakes, and nothing was to be published."""
    JOINED = "joined"
    """Another sync is under way, and serves this request too."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of a request for a sync."""

    outcome: SyncOutcome
    version: str | None = None
    number: int | None = None
    """The number of the publication, if there was one."""
    mistakes: tuple[Mistake, ...] = ()


class _Checked(NamedTuple):
    """The content of a source, and what is wrong with it."""

    entries: Sequence[Entry]
    mistakes: tuple[Mistake, ...]
    catalog: Catalog | None
    """None if there are mistakes."""


@dataclass(frozen=True)
class CatalogSync:
    """Syncs from one source into one store."""

    entries: Entries
    store: CatalogStore
    clock: Clock
    needs_approval: bool
    """True: a catalog goes in force only once others than its authors have approved it, here or in the CMS."""
    settle: Callable[[], Awaitable[None]]
    """Waits until a burst of requests is over."""

    async def sync(self, holder: str, author: str | None) -> Synced:
        """Serve a request of `author` for a sync, which is named `holder`.

        Raises `Transient` if the source or the store fails; nothing is published then, or all of it.
        """
        if not await self._take_turn(holder, author):
            return Synced(SyncOutcome.JOINED)
        try:
            return await self._rounds(holder)
        except BaseException:
            await self._change(lambda state: _released(state, holder))
            raise

    async def _rounds(self, holder: str) -> Synced:
        for _ in range(MAX_ROUNDS):
            await self.settle()
            if synced := await self._round(holder):
                return synced
        raise Transient(f"{self.entries.name}: more requests came than {MAX_ROUNDS} syncs could serve")

    async def _take_turn(self, holder: str, author: str | None) -> bool:
        """Note the request. True if this sync has the lease now."""
        now = self.clock.now()

        def asked(state: SyncState) -> SyncState:
            noted = state._replace(
                asked=state.asked + 1, authors=_joined(state.authors, [author] if author else [])
            )
            is_free = state.lease is None or state.lease.until <= now
            return noted._replace(lease=Lease(holder, now + LEASE)) if is_free else noted

        state = await self._change(asked)
        return state.lease is not None and state.lease.holder == holder

    async def _round(self, holder: str) -> Synced | None:
        """Read the source once. None if that has to be done again."""
        state = (await self.store.load_sync(self.entries.name)).state
        replaced = await self.store.in_force()
        checked = await _checked(self.entries, self.store.artifacts)
        try:
            synced = await self._put(checked, replaced, state)
        except Conflict:
            return None
        await self.entries.report(synced.mistakes, synced.version)
        after = await self._change(lambda known: self._served(known, state, synced, holder))
        return None if after.lease and after.lease.holder == holder else synced

    async def _put(self, checked: _Checked, replaced: InForce, state: SyncState) -> Synced:
        """Put a valid catalog in force, or propose it, unless that was done before."""
        catalog = checked.catalog
        if catalog is None:
            return Synced(SyncOutcome.INVALID, mistakes=checked.mistakes)
        if catalog.version == state.version and not await self._awaits(catalog.version):
            return Synced(SyncOutcome.UNCHANGED, catalog.version)
        if catalog.version == replaced.version:
            await self.store.announce()  # a sync that failed after its publication may not have done it
            return Synced(SyncOutcome.UNCHANGED, catalog.version)
        before = await self.store.content(replaced.version) if replaced.version else {}
        changed = changes(before, json.loads(catalog.to_json()), checked.entries)
        authors, now = tuple(dict.fromkeys([*state.authors, *changed.authors])), self.clock.now()
        if self.needs_approval and not changed.approvers:
            if catalog.version != state.version:
                await self.store.propose(catalog, authors, now, after=state.version)
            return Synced(SyncOutcome.WAITING, catalog.version)
        by = f"sync from {self.entries.name} by {_told(authors) or self.entries.name}"
        approved_by = f"in the CMS: {_told(changed.approvers)}" if changed.approvers else None
        number = await self.store.publish(catalog, replaced, now, Said(by, approved_by))
        await self.store.announce()
        return Synced(SyncOutcome.PUBLISHED, catalog.version, number)

    async def _awaits(self, version: str) -> bool:
        """True if the content that was read last waits: its entries may have been approved meanwhile."""
        return self.needs_approval and await self.store.awaits(version)

    def _served(self, known: SyncState, seen: SyncState, synced: Synced, holder: str) -> SyncState:
        """The state after a round. The lease is kept if somebody has asked meanwhile."""
        served = known._replace(served=max(known.served, seen.asked), version=synced.version or known.version)
        if known.asked > seen.asked:
            return served._replace(lease=Lease(holder, self.clock.now() + LEASE))
        if synced.outcome is not SyncOutcome.INVALID:
            served = served._replace(authors=())
        return _released(served, holder)

    async def _change(self, change: Callable[[SyncState], SyncState]) -> SyncState:
        """Save a changed state, and return it. Raises `Transient`."""
        for attempt in range(MAX_ATTEMPTS):
            known, version = await self.store.load_sync(self.entries.name)
            changed = change(known)
            try:
                await self.store.save_sync(self.entries.name, changed, version)
            except Conflict:
                await asyncio.sleep(WAIT_AFTER_CONFLICT * attempt)
            else:
                return changed
        raise Transient(f"{self.entries.name}: too many requests for a sync at once")


async def check(entries: Entries, find: FindArtifacts) -> Synced:
    """The result of a check alone: the outcome `valid` or `invalid`. Raises what the source and `find` raise."""
    _, mistakes, catalog = await _checked(entries, find)
    outcome = SyncOutcome.VALID if catalog else SyncOutcome.INVALID
    return Synced(outcome, catalog.version if catalog else None, mistakes=mistakes)


async def _checked(entries: Entries, find: FindArtifacts) -> _Checked:
    """The entries with every mistake, or with the catalog if there is none."""
    listed, unreadable = await entries.list()
    assembled = assemble(listed)
    mistakes = [*unreadable, *assembled.mistakes]
    try:
        catalog = compile_catalog(assembled.content)
        catalog = with_artifacts(catalog, _artifacts(await find(catalog.document)), "")
    except InvalidCatalog as error:
        # What else is wrong with an entry that has a mistake may follow from that.
        told = {mistake.place for mistake in mistakes}
        more = [each for each in assembled.located(error.problems) if each.place not in told]
        return _Checked(listed, (*mistakes, *more), None)
    return _Checked(listed, tuple(mistakes), None if mistakes else catalog)


def _released(state: SyncState, holder: str) -> SyncState:
    is_held = state.lease is not None and state.lease.holder == holder
    return state._replace(lease=None) if is_held else state


def _joined(authors: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*authors, *more]))[:MAX_AUTHORS]


def _told(people: Sequence[str]) -> str:
    return ", ".join(people[:MAX_AUTHORS])


def _artifacts(found: Mapping[str, bytes]) -> Artifacts:
    return Artifacts(
        lambda name, version: found.get(f"scores/{name}.{version}"), lambda name: found.get(f"policies/{name}")
    )
