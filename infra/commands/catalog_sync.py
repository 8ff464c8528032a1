"""`catalog sync`: publish a catalog that is kept in a folder, entry by entry."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.catalog_options import By
from infra.commands.common import AsJson, Project, print_result
from infra.errors import InfraError, UsageError
from infra.terminal.user_name import user_name

if TYPE_CHECKING:
    from infra.catalog.entries_folder import EntriesFolder
    from shared.application.sync_catalog import Synced

Approval = Annotated[
    bool,
    typer.Option(
        "--needs-approval/--no-approval",
        envvar="UPBEAT_CATALOG_APPROVAL",
        help="Put nothing in force that another person has not approved (upbeat catalog approve).",
    ),
]


def sync(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the catalog's entries.")],
    project: Project = None,
    by: By = None,
    needs_approval: Approval = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the entries; needs no Firestore and writes nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a catalog that is kept in a folder, entry by entry.

    The folder has one YAML file for each entry, SECTION/ID.yaml (campaigns/save_offer.yaml), and settings.yaml for
    kill_switch, time_zone and milestones. The whole is checked as upbeat catalog lint does. If it is valid, it
    goes in force. With --needs-approval, or where the project asks for two persons, it waits for upbeat catalog
    approve. What was synced last is not published again, also after a rollback.

    Scores beside the entries (scores/NAME.VERSION.json) are published first; policies must be published already.
    With --check, both are looked up in the folder alone.

    Prints each mistake with its file; then nothing is published, and the catalog in force stays.

    Exit codes: 0 if it is published, waits, or is known already, 1 if an entry has a mistake or something fails, 2
    if there is no such folder.

    For example:

        upbeat catalog sync catalog/ --check
        upbeat catalog sync catalog/ --project my-project --by "$(git log -1 --format=%ae)"
    """
    from infra.catalog.entries_folder import EntriesFolder

    if not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder of entries, found none")
    entries = EntriesFolder(folder)
    try:
        if check:
            synced = asyncio.run(_checked(entries))
        else:
            waits = needs_approval or _project_needs_approval(project)
            synced = asyncio.run(_synced(entries, project, by or user_name(), waits))
    except OSError as error:
        raise InfraError(f"{folder}: expected entries, found a file that cannot be read: {error}") from error
    facts = {
        "outcome": synced.outcome,
        "version": synced.version,
        "number": synced.number,
        "mistakes": [each._asdict() for each in synced.mistakes],
    }
    lines = [f"{each.place or folder}: {each.problem}" for each in synced.mistakes]
    print_result("\n".join(lines) or _told(synced, folder), as_json=as_json, facts=facts)
    if synced.mistakes:
        raise typer.Exit(1)


def _told(synced: "Synced", folder: Path) -> str:
    from infra.terminal.invocation import again
    from shared.application.sync_catalog import SyncOutcome

    return {
        SyncOutcome.PUBLISHED: f"{synced.version} is in force, with the number {synced.number}",
        SyncOutcome.WAITING: f"{synced.version} waits for: {again()} catalog approve {synced.version}",
        SyncOutcome.UNCHANGED: f"{synced.version} is known already: nothing is published",
        SyncOutcome.VALID: f"{folder} is valid: version {synced.version}",
        SyncOutcome.INVALID: "",
        SyncOutcome.JOINED: "another sync is under way; it publishes what the folder of that one holds",
    }[synced.outcome]


def _project_needs_approval(project: str | None) -> bool:
    from infra.remote.firestore import client_of
    from infra.remote.proposals import needs_approval

    return needs_approval(client_of(project))


async def _checked(entries: "EntriesFolder") -> "Synced":
    from shared.application.sync_catalog import check

    return await check(entries, entries.artifacts)


async def _synced(entries: "EntriesFolder", project: str | None, by: str, needs_approval: bool) -> "Synced":
    from uuid import uuid4

    from infra.remote.running import find
    from shared.adapters.clock import SystemClock
    from shared.adapters.gcp.catalog_store import FirestoreCatalogStore
    from shared.adapters.gcp.connection import FIRESTORE, PUBSUB, connections
    from shared.adapters.gcp.documents import Documents
    from shared.adapters.gcp.pubsub import PubsubPublisher
    from shared.application.sync_catalog import CatalogSync
    from shared.domain.errors import Transient

    environ = os.environ if project else find().endpoints.env
    used = project or find().endpoints.project
    firestore, pubsub = connections(environ, FIRESTORE, PUBSUB)
    try:
        publisher = PubsubPublisher(pubsub, used)
        store = FirestoreCatalogStore(Documents(firestore, used), publisher, dict(entries.scores()))
        syncing = CatalogSync(entries, store, SystemClock(), needs_approval, _at_once)
        return await syncing.sync(uuid4().hex, by)
    except Transient as error:
        raise InfraError(f"the catalog cannot be synced: {error}") from error
    finally:
        await firestore.close()
        await pubsub.close()


async def _at_once() -> None:
    """A command asks once: it waits for no burst."""
