"""Putting a catalog in force: the one way of the command line, of the guard of experiments, and of the console."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.cloud.firestore import Client

from infra.catalog.closing import closed, recalls
from infra.catalog.warnings import warnings
from infra.errors import InfraError
from infra.remote.announcement import NotAnnounced, announce
from infra.remote.firestore import client_errors, publish_catalog
from infra.remote.pubsub import Bus
from infra.sweeps.sweep import MAX_CAMPAIGNS
from infra.terminal.invocation import again
from shared.adapters.gcp.catalog_publisher import ArtifactChange, artifact_change, coming_number
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
    approved_by: str | None = None
    """The second person, who approved it; None if it awaited no approval."""


@dataclass(frozen=True, slots=True)
class Published:
    """A catalog in force."""

    number: int
    recalls: list[str]
    """The commands that recall what is open of what it closes."""


def advice(recalls: list[str]) -> list[str]:
    """Lines that tell of recalls; none if there are none."""
    if not recalls:
        return []
    return [
        "What is open of what it closes stays open until its user's next event. To withdraw it now, run:",
        *(f"    {command}" for command in recalls),
    ]


@dataclass(frozen=True, slots=True)
class Preview:
    """The effects that a publication would have."""

    number: int
    """The number that it would have now, at least."""
    artifacts: dict[str, ArtifactChange]
    """The fate of each score and policy, by its path."""
    warnings: list[str]
    recalls: list[str]

    @property
    def refused(self) -> list[str]:
        """The scores that make it fail."""
        return [path for path, change in self.artifacts.items() if change is ArtifactChange.REFUSED]


def preview(client: Client, publication: Publication, project: str | None) -> Preview:
    """The effects that a publication would have. Writes nothing. Raises `InfraError` if Firestore fails."""
    now = datetime.now(UTC)
    with client_errors("read what is published"):
        number = coming_number(client, now)
        artifacts = {each.location.path: artifact_change(client, each) for each in publication.artifacts}
    warned = [*warnings(publication.catalog.document, now)]
    return Preview(number, artifacts, warned, recalls_after(publication, project))


def put_in_force(
    client: Client,
    bus: Bus,
    publication: Publication,
    project: str | None,
    *,
    only_first: bool = False,
    replacing: int | None = None,
) -> Published:
    """Publish a catalog and tell it on `catalog-published`.

    Raises `InfraError` if that fails, also if `only_first` and a catalog is in force already, or if another
    publication is in force than the one with the number `replacing`.
    """
    number = publish_catalog(
        *(client, publication.catalog, publication.artifacts),
        only_first=only_first,
        replacing=replacing,
        by=publication.by,
        approved_by=publication.approved_by,
    )
    send_announcement(client, bus, project)
    return Published(number, recalls_after(publication, project))


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


def recalls_after(publication: Publication, project: str | None) -> list[str]:
    """The commands that recall what a catalog closes of the one before."""
    if publication.before is None:
        return []
    end = ["--project", project] if project else []
    closing = closed(publication.before, publication.catalog, datetime.now(UTC))
    return [" ".join([again(), "catalog recall", *words, *end]) for words in recalls(closing, MAX_CAMPAIGNS)]
