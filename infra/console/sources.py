"""The sources of the console, and the place it writes to: an Upbeat that runs, a project, or a replay's store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from google.cloud.firestore import Client

from infra.raw.follower import Follower
from infra.remote.clock import RunningClock
from infra.remote.pubsub import Bus
from shared.adapters.gcp.paths import ArtifactLocation
from shared.decisioning.catalog import Catalog
from shared.domain.terms import Terms

if TYPE_CHECKING:
    from infra.remote.catalog_history import PublishedVersion
    from infra.remote.stored_catalog import CurrentCatalog
    from shared.record.user_record import UserRecord


class Documents(Protocol):
    """The users' documents."""

    def read(self, user_id: str) -> "UserRecord | None":
        """A user's document; None if there is none. Raises `InfraError` for one that cannot be read."""
        ...

    def names(self, prefix: str, limit: int) -> list[str]:
        """The ids of users that begin with `prefix`, in order."""
        ...


class Catalogs(Protocol):
    """The catalogs that were published, with the scores and policies that they name; missing ones fail closed."""

    def current(self) -> "CurrentCatalog | None":
        """The catalog in force; None if there is none. Raises `InfraError` if it cannot be looked up."""
        ...

    def history(self) -> "Sequence[PublishedVersion]":
        """The newest publications, the newest first. Raises `InfraError` if they cannot be looked up."""
        ...

    def catalog(self, version: str) -> Catalog:
        """The catalog of a version. Raises `InfraError` if there is none, or if this version refuses it."""
        ...

    def artifact(self, location: ArtifactLocation) -> bytes | None:
        """The score or the policy at a location; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """A running Upbeat, which takes events and catalogs."""

    bus: Bus
    firestore: Client
    clock: RunningClock | None
    """The clock of the emulators, which can be moved; None in a cloud project."""
    project: str | None
    """The cloud project; None for the emulators."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that the pages need."""

    name: str
    """The name of what is shown, such as `the emulators` or `replay in /tmp/tour`."""
    documents: Documents
    now: Callable[[], datetime]
    """The present instant of what is shown (UTC)."""
    terms: Terms
    catalogs: Catalogs
    log: Follower | None
    """The raw log; None where there is none."""
    running: Running | None
    """None for a replay's store, to which nothing can be sent."""

    def catalog(self) -> Catalog | None:
        """The catalog in force; None if there is none that can be read."""
        current = self.catalogs.current()
        return current.catalog if current else None
