"""`catalog publish` and `catalog announce`: put a catalog in force, and tell it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.catalog_options import By, CatalogFile, DryRun, Emergency, reason, sentence, summary, who
from infra.commands.common import AsJson, Project, bus_of, print_result
from infra.commands.inputs import valid_catalog
from infra.errors import UsageError
from infra.terminal.user_name import user_name

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from infra.remote.publication import Publication


def publish(
    file: CatalogFile,
    project: Project = None,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Publish only if no catalog is in force; exit with 0 either way.")
    ] = False,
    by: By = None,
    emergency: Emergency = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Publish a catalog; functions use it within a minute.

    Writes the catalog, with the scores and policies beside it, to Firestore: in the running emulators, or in a
    cloud project. Then it publishes the whole catalog to the topic catalog-published. If it closes a campaign or
    an offer of the catalog before, prints the commands that recall what is open of it.

    Where two persons must agree (UPBEAT_CATALOG_APPROVAL, or the project says so), a catalog that nobody has
    approved waits for upbeat catalog approve, and its scores are published. At once go the first catalog
    (--if-none), a version that was approved before or is in force, and one with --emergency.

    With --dry-run, prints the differences from the catalog in force and their effects, the warnings of upbeat
    catalog lint, what becomes of each score and policy, and the least number that the publication would have.

    Exit codes: 0 if it is published or waits (or would), 1 if something fails (or would), also if only the message
    could not be sent (upbeat catalog announce sends it), 2 if the catalog is invalid; then nothing is published.

    For example:

        upbeat catalog publish new.yaml --project my-project --dry-run
        upbeat catalog publish new.yaml --project my-project
    """
    from infra.catalog.load import artifacts_of
    from infra.commands.publication_page import change, preview_lines
    from infra.remote.firestore import client_of
    from infra.remote.publication import NotAgreed, Publication, advice, preview, put_in_force
    from infra.remote.stored_catalog import current_catalog
    from infra.terminal.console import print_page

    content, client = valid_catalog(file), client_of(project)
    told = {"file": str(file), "published": False, **summary(content)}
    current = current_catalog(client)
    if if_none and current:
        text = f"{file} is not published: {current.publication.version} is in force"
        print_result(text, as_json=as_json, facts=told)
        return
    before, name = current.catalog if current else None, who("catalog publish", by)
    publication = Publication(content, before, artifacts_of(content, file), name, emergency=reason(emergency))
    if dry_run:
        seen = preview(client, publication, project, only_first=if_none)
        changed = change(current, content, str(file))
        if not as_json:
            print_page(changed.page)
        facts = told | changed.facts | {"dry_run": True} | asdict(seen)
        print_result("\n".join(preview_lines(seen)), as_json=as_json, facts=facts)
        raise typer.Exit(1 if seen.refused else 0)
    try:
        done = put_in_force(client, bus_of(project), publication, project, only_first=if_none)
    except NotAgreed:
        _propose(client, publication, by, told, as_json=as_json)
        return
    facts = told | {"published": True, "number": done.number, "recalls": done.recalls}
    lines = [f"{file} is published: {sentence(told)}", *advice(done.recalls)]
    print_result("\n".join(lines), as_json=as_json, facts=facts)


def _propose(
    client: "Client", publication: "Publication", by: str | None, told: dict[str, Any], *, as_json: bool
) -> None:
    """Let a catalog wait for a second person, and say so."""
    from infra.remote.proposals import propose
    from infra.terminal.invocation import again

    author = by or user_name()
    if not author:
        raise UsageError("--by: expected the name of the catalog's author, whom another must approve; found none")
    version = publication.catalog.version
    propose(client, publication.catalog, publication.artifacts, author)
    text = f"{version} waits for: {again()} catalog approve {version}"
    print_result(text, as_json=as_json, facts=told | {"waits": True, "authors": author})


def announce(project: Project = None, as_json: AsJson = False) -> None:
    """Send the message about the catalog in force again.

    Publishes the catalog in force to the topic catalog-published. The message has the same id as the one that
    upbeat catalog publish sends, so that consumers drop either. Needed only if that could not be sent.

    Exit codes: 0 if it was sent, 1 if no catalog is in force or something fails.

    For example:

        upbeat catalog announce --project my-project
    """
    from infra.remote.firestore import client_of
    from infra.remote.publication import send_announcement

    message = send_announcement(client_of(project), bus_of(project), project)
    version = message.body["catalog_version"]
    facts = {"version": version, "message_id": message.message_id}
    print_result(f"{version} is announced: message {message.message_id}", as_json=as_json, facts=facts)
