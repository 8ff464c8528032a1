"""`catalog approve`: put a catalog in force that another person has made."""

from pathlib import Path
from typing import Annotated

import typer

from infra.commands.catalog_options import By, DryRun
from infra.commands.common import AsJson, Project, bus_of, print_result
from infra.errors import UsageError
from infra.terminal.user_name import user_name


def approve(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version that waits, as sync tells it.")],
    project: Project = None,
    by: By = None,
    raw: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The raw log for the preview. Default: that of the running emulators, if any."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask after the preview.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a catalog in force that somebody else has made.

    A catalog that upbeat catalog sync, upbeat catalog publish or the CMS has brought waits for this where two
    persons must agree (UPBEAT_CATALOG_APPROVAL, or the project says so). Prints the differences from the catalog
    in force and, where a raw log is at hand, the triggers of the last week's users under both catalogs, as upbeat
    whatif does. Then it asks, and publishes.

    The name of --by, else of this machine's user, must not be among the authors of the catalog. Upbeat records the
    name and does not prove it: who may write to Firestore may approve (docs/operations.md).

    Exit codes: 0 if it is in force (or would be), 1 if something fails or the answer is no, 2 if no such catalog
    waits, if you are one of its authors, or if it is refused.

    For example:

        upbeat catalog approve 1f0c52a9b7e04d38 --project my-project --by ada@example.com
    """
    from infra.commands.approval_preview import print_what_if
    from infra.commands.publication_page import change
    from infra.remote.firestore import client_of
    from infra.remote.proposals import mark_approved, proposal
    from infra.remote.publication import Publication, advice, put_in_force, recalls_after
    from infra.remote.stored_catalog import current_catalog, with_published_library
    from infra.terminal.console import print_page

    client, name = client_of(project), by or user_name()
    waiting = proposal(client, version)
    if waiting.approved_by is not None:
        raise UsageError(f"expected a catalog that waits, found {version}, approved by {waiting.approved_by}")
    if waiting.is_by(name):
        raise UsageError(f"expected another person than an author of {version}, found {name}")
    content = with_published_library(client, waiting.catalog, f"proposals/{version}")
    current = current_catalog(client)
    changed = change(current, content, f"proposals/{version}")
    if not as_json:
        print_page(changed.page)
        print_what_if(client, current.catalog if current else None, content, raw, project)
    facts = changed.facts | {"version": version, "authors": waiting.authors, "approved_by": name}
    before = current.catalog if current else None
    publication = Publication(content, before, (), ", ".join(waiting.authors) or "unknown", approved_by=name)
    if dry_run:
        calls, lines = recalls_after(publication, project), ["", "Nothing is published (dry run)."]
        print_result("\n".join([*lines, *advice(calls)]), as_json=as_json, facts=facts | {"published": False})
        return
    if not yes and not as_json:
        typer.confirm(f"Put {version} in force?", abort=True)
    replacing = current.publication.number if current else None
    done = put_in_force(client, bus_of(project), publication, project, replacing=replacing)
    mark_approved(client, version, name)
    lines = [f"{version} is in force, with the number {done.number}, approved by {name}", *advice(done.recalls)]
    facts |= {"published": True, "number": done.number, "recalls": done.recalls}
    print_result("\n".join(lines), as_json=as_json, facts=facts)
