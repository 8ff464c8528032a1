"""`catalog history` and `catalog rollback`: the catalogs that were in force, and the way back to one."""

from dataclasses import asdict
from typing import Annotated

import typer

from infra.commands.catalog_options import By, DryRun, Emergency, reason, who
from infra.commands.common import AsJson, Project, bus_of, print_json, print_result
from infra.errors import UsageError


def history(
    project: Project = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, metavar="N", help="Show the N newest publications.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the publications of catalogs, the newest first.

    Tells of each its number, its version, when and by whom it was put in force, who approved it (in the CMS, or by
    upbeat catalog approve) or for what emergency nobody did, and what it changed against the one before. upbeat
    catalog show and diff take a number or a version, and upbeat catalog rollback puts it in force again. Catalogs
    from before Upbeat kept this record come last, without a number.

    With --json, one object a line: number, version, published_at, by, in_force, note, approved_by, emergency.

    For example:

        upbeat catalog history
        upbeat catalog history --project my-project --json
    """
    from infra.remote.catalog_history import history as publications
    from infra.remote.firestore import client_of
    from infra.remote.history_page import page
    from infra.terminal.console import print_page
    from shared.contracts.outbound.base import rfc3339

    found = publications(client_of(project), limit)
    if as_json:
        for each in found:
            at = rfc3339(each.published_at) if each.published_at else None
            print_json(asdict(each) | {"published_at": at})
    elif found:
        print_page(page(found))
    else:
        typer.echo("No catalog was published yet.")


def rollback(
    to: Annotated[
        str | None,
        typer.Argument(metavar="NUMBER|VERSION", help="The publication; default: what was in force before."),
    ] = None,
    project: Project = None,
    by: By = None,
    emergency: Emergency = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier catalog in force again.

    Prints the differences from the catalog in force, publishes the earlier one as a new publication with a number
    of its own, and tells it on catalog-published. Functions use it within a minute. Scores are those that the
    catalog names; a policy is the one that is published now. Prints the commands that recall what it closes.

    Without an argument, takes the newest publication of another version than the one in force: a second rollback
    takes the first one back. Publishes nothing if the catalog is in force already, if this version of Upbeat
    refuses it, if a score or policy of it is missing, or if another catalog goes in force meanwhile.

    Where two persons must agree (UPBEAT_CATALOG_APPROVAL, or the project says so), a version that was approved
    before goes in force at once; any other one needs --emergency.

    Exit codes: 0 if it is in force (or would be), 1 if something fails, 2 if there is no such catalog, or if it is
    refused.

    For example:

        upbeat catalog rollback --dry-run
        upbeat catalog rollback 1790000000 --project my-project
        upbeat catalog rollback --emergency "the new prices are wrong"
    """
    from infra.commands.publication_page import change
    from infra.remote.catalog_history import version_before, version_of
    from infra.remote.firestore import client_of
    from infra.remote.publication import Publication, advice, agreed, put_in_force, recalls_after
    from infra.remote.stored_catalog import current_catalog, usable_catalog
    from infra.terminal.console import print_page
    from shared.adapters.gcp.paths import CATALOGS

    client = client_of(project)
    current = current_catalog(client)
    version = version_before(client) if to is None else version_of(client, to)
    content = usable_catalog(client, version)
    if current and current.publication.version in {version, content.version}:
        raise UsageError(f"expected an earlier catalog, found {version}, which is in force")
    before, name = current.catalog if current else None, who("catalog rollback", by)
    publication = agreed(client, Publication(content, before, (), name, emergency=reason(emergency)))
    changed = change(current, content, f"{CATALOGS}/{version}")
    if not as_json:
        print_page(changed.page)
    facts = changed.facts | {"version": content.version, "dry_run": dry_run}
    if dry_run:
        calls, lines = recalls_after(publication, project), ["", "Nothing is published (dry run)."]
        facts |= {"published": False, "recalls": calls}
    else:
        replacing = current.publication.number if current else None
        done = put_in_force(client, bus_of(project), publication, project, replacing=replacing)
        calls, lines = done.recalls, ["", f"{content.version} is in force again, with the number {done.number}"]
        facts |= {"published": True, "number": done.number, "recalls": calls}
    print_result("\n".join([*lines, *advice(calls)]), as_json=as_json, facts=facts)
