"""Putting a catalog in force: the one way of the command line, of the guard of experiments, and of the console."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from google.cloud.firestore import Client

from infra.catalog.closing import closed, recalls
from infra.catalog.warnings import warnings
from infra.errors import InfraError, UsageError
from infra.remote.announcement import NotAnnounced, announce
from infra.remote.catalog_history import approver_of
from infra.remote.firestore import catalog_in_force, client_errors, publish_catalog
from infra.remote.proposals import needs_approval
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
    """The person or process that puts it in force, as the message tells it."""
    approved_by: str | None = None
    """The second person, who approved it; None if it awaited no approval."""
    emergency: str | None = None
    """The reason for which it does not wait for a second person; None if there is none."""


class NotAgreed(UsageError):
    """A catalog that nobody but its author answers for, where two persons must agree."""


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
    waits: bool
    """True if it would wait for a second person."""

    @property
    def refused(self) -> list[str]:
        """The scores and policies that make it fail."""
        failing = {ArtifactChange.REFUSED, ArtifactChange.REPLACED} if self.waits else {ArtifactChange.REFUSED}
        return [path for path, change in self.artifacts.items() if change in failing]


def preview(client: Client, publication: Publication, project: str | None, *, only_first: bool = False) -> Preview:
    """The effects that a publication would have. Writes nothing. Raises `InfraError` if Firestore fails."""
    now = datetime.now(UTC)
    with client_errors("read what is published"):
        number = coming_number(client, now)
        artifacts = {each.location.path: artifact_change(client, each) for each in publication.artifacts}
    warned = [*warnings(publication.catalog.document, now)]
    waits = not only_first and not _is_agreed(client, publication)
    return Preview(number, artifacts, warned, recalls_after(publication, project), waits)


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

    Raises `NotAgreed` as `agreed` does, unless `only_first`, since a first catalog replaces none. Raises
    `InfraError` if that fails, also if `only_first` and a catalog is in force already, or if another publication
    is in force than the one with the number `replacing`.
    """
    if not only_first:
        publication = agreed(client, publication)
    number = publish_catalog(
        *(client, publication.catalog, publication.artifacts),
        only_first=only_first,
        replacing=replacing,
        by=publication.by,
        approved_by=publication.approved_by,
        emergency=publication.emergency,
    )
    send_announcement(client, bus, project)
    return Published(number, recalls_after(publication, project))


def agreed(client: Client, publication: Publication) -> Publication:
    """The publication, with the person who approved its version before.

    Raises `NotAgreed` where two persons must agree and did not: the version is neither approved nor in force, and
    no emergency is told. Raises `InfraError` if Firestore fails.
    """
    version = publication.catalog.version
    if publication.approved_by or publication.emergency or not needs_approval(client):
        return publication
    approver = approver_of(client, version)
    if approver is None and catalog_in_force(client) != version:
        expected = "expected a catalog that a second person has approved"
        raise NotAgreed(f"{expected}, found {version}, which nobody has; in an emergency: --emergency REASON")
    return replace(publication, approved_by=approver)


def _is_agreed(client: Client, publication: Publication) -> bool:
    try:
        agreed(client, publication)
    except NotAgreed:
        return False
    return True


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
