"""A source of entries and a store of syncs in memory, and a folder of entries."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import yaml

from shared.application.sync_catalog import CatalogSync
from shared.decisioning.document.entries import Entry, Mistake
from shared.domain.errors import Conflict, Transient
from shared.ports import InForce, StoredSync, SyncState
from tests.support.fakes import MovableClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALE = (
    Entry("placements", "banner", {"channel": "in_app"}, "at/banner"),
    Entry("offers", "any", {"cms_ref": "x", "validity_hours": 1}, "at/any"),
    Entry(
        *("campaigns", "sale"),
        {"offer": "any", "placement": "banner", "moments": ["renewed"], "priority": 1},
        "at/sale",
    ),
)


def written(entries: Sequence[Entry], author: str | None, approved_by: str | None = None) -> tuple[Entry, ...]:
    """The entries as a CMS tells them that knows who wrote and who approved them."""
    return tuple(one._replace(author=author, approved_by=approved_by) for one in entries)


def changed(entries: Sequence[Entry], id_: str, **fields) -> tuple[Entry, ...]:
    """The entries with some fields of one replaced."""
    return tuple(one._replace(fields={**one.fields, **fields}) if one.id == id_ else one for one in entries)


class MemoryEntries:
    """`Entries` in memory. `fails` makes the next reads fail, as a CMS that is down half-way."""

    name = "memory"

    def __init__(self, *entries: Entry) -> None:
        self.entries: Sequence[Entry] = entries
        self.unreadable: Sequence[Mistake] = ()
        self.reported: list[tuple[tuple[Mistake, ...], str | None]] = []
        self.refuses_reports = False
        self.reads = 0
        self.fails = False

    async def list(self):
        self.reads += 1
        if self.fails:
            raise Transient("the CMS does not answer")
        return self.entries, self.unreadable

    async def report(self, mistakes, version):
        if self.refuses_reports:
            raise Transient("the CMS takes no report")
        self.reported.append((tuple(mistakes), version))


class MemoryCatalogStore:
    """`CatalogStore` in memory."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        """Version and author of each publication."""
        self.approvals: list[str | None] = []
        """The approver of each publication."""
        self.contents: dict[str, dict] = {}
        """The content of each publication, by its version."""
        self.current: str | None = None
        self.moves = 0
        """How often the pointer was moved."""
        self.announced = 0
        self.proposals: dict[str, list[str]] = {}
        self.approved: set[str] = set()
        self.states: dict[str, tuple[SyncState, int]] = {}
        self.fails_to_announce = False

    def put(self, version: str) -> None:
        """Put a version in force, as another publisher does."""
        self.current, self.moves = version, self.moves + 1

    async def in_force(self):
        return InForce(self.current, self.moves)

    async def artifacts(self, _document):
        return {}

    async def content(self, version):
        return self.contents.get(version, {})

    async def awaits(self, version):
        return version in self.proposals and version not in self.approved

    async def publish(self, catalog, replaced, _now, said):
        if replaced.token != self.moves:
            raise Conflict("the pointer has moved")
        self.put(catalog.version)
        self.published.append((catalog.version, said.by))
        self.approvals.append(said.approved_by)
        self.contents[catalog.version] = json.loads(catalog.to_json())
        if said.approved_by:
            self.approved.add(catalog.version)
        return self.moves

    async def announce(self):
        if self.fails_to_announce:
            raise Transient("Pub/Sub does not answer")
        self.announced += 1

    async def propose(self, catalog, authors, _now, *, after):
        earlier = [] if after in self.approved else self.proposals.get(after or "", [])
        self.proposals[catalog.version] = [*dict.fromkeys([*earlier, *authors])]

    async def load_sync(self, source):
        return StoredSync(*self.states.get(source, (SyncState(), None)))

    async def save_sync(self, source, state, version):
        if self.states.get(source, (None, None))[1] != version:
            raise Conflict("the state has changed")
        self.states[source] = state, (version or 0) + 1
        return (version or 0) + 1


async def at_once() -> None:
    """No burst is waited for."""


def syncing(entries, store, *, needs_approval=False, clock=None, settle=at_once) -> CatalogSync:
    return CatalogSync(entries, store, clock or MovableClock(NOON), needs_approval, settle)


def write_folder(folder, entries: Sequence[Entry]) -> None:
    """Write entries as files."""
    for entry in entries:
        file = folder / entry.section / f"{entry.id}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(dict(entry.fields)))
