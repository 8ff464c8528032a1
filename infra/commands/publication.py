"""Putting a catalog in force: the one way of `catalog publish` and of the guard of experiments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.cloud.firestore import Client

from infra.catalog.closing import closed, recalls
from infra.errors import InfraError
from infra.remote.announcement import NotAnnounced, announce
from infra.remote.firestore import publish_catalog
from infra.remote.pubsub import Bus
from infra.sweeps.sweep import MAX_CAMPAIGNS
from infra.terminal.invocation import again
from shared.adapters.gcp.paths import PublishedArtifact
from shared.contracts.outbound.message import Message
from shared.decisioning.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Publication:
    """A catalog to put in force."""

    catalog: Catalog
    before: Catalog | None
    """The one in force; None if there is none."""
    artifacts: Iterable[PublishedArtifact]
    """The scores and policies that it names and that are not published yet."""
    by: str
    """What puts it in force, as the message tells it."""


@dataclass(frozen=True, slots=True)
class Published:
    """A catalog in force."""

    number: int
    recalls: list[str]
    """The commands that recall what is open of what it closes."""

    @property
    def advice(self) -> list[str]:
        """Lines that tell of the recalls."""
        if not self.recalls:
            return []
        return [
            "What is open of what it closes stays open until its user's next event. To withdraw it now, run:",
            *(f"    {command}" for command in self.recalls),
        ]


def put_in_force(
    client: Client,
    bus: Bus,
    publication: Publication,
    project: str | None,
    *,
    only_first: bool = False,
    only_replacing: bool = False,
) -> Published:
    """Publish a catalog and tell it on `catalog-published`.

    Raises `InfraError` if that fails, also if `only_first` and a catalog is in force already, or if
    `only_replacing` and another one than `before` is.
    """
    before = publication.before
    number = publish_catalog(
        *(client, publication.catalog, publication.artifacts),
        only_first=only_first,
        replacing=before.number if only_replacing and before else None,
        by=publication.by,
    )
    send_announcement(client, bus, project)
    return Published(number, _recalls(before, publication.catalog, project) if before else [])


def send_announcement(client: Client, bus: Bus, project: str | None) -> Message:
    """Announce the catalog in force. Raises `InfraError`, with the command to send the message again."""
    try:
        message = announce(client, bus)
    except NotAnnounced as error:
        command = f"{again()} catalog announce" + (f" --project {project}" if project else "")
        raise InfraError(f"{error}; send it with: {command}") from error
    if message is None:
        raise InfraError("no catalog is in force; publish one with: upbeat catalog publish")
    return message


def _recalls(before: Catalog, after: Catalog, project: str | None) -> list[str]:
    """The commands that recall what a catalog closes of the one before."""
    end = ["--project", project] if project else []
    closing = closed(before, after, datetime.now(UTC))
    return [" ".join([again(), "catalog recall", *words, *end]) for words in recalls(closing, MAX_CAMPAIGNS)]
