"""`catalog`: check a catalog, read it, compare it with another, and publish it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, bus_of, print_json, print_result
from infra.commands.inputs import readable, valid_catalog
from infra.commands.sweeps import recall, sweep
from infra.terminal.help_page import Command

if TYPE_CHECKING:
    from shared.decisioning.catalog import Catalog

CatalogFile = Annotated[Path, typer.Argument(metavar="FILE", help="The catalog, in YAML or JSON.")]
SECTIONS = ("campaigns", "offers", "audiences", "placements")
"""The sections whose entries are counted in a summary."""

catalog = typer.Typer(no_args_is_help=True, help="Check, show, compare or publish a catalog; carry it through.")


@catalog.command(cls=Command)
def lint(file: CatalogFile, as_json: AsJson = False) -> None:
    """Name every problem of a catalog.

    Reads the catalog and the scores and policies beside it. Prints one problem per line: its path, what was
    expected there, and what was found. Warnings follow what is valid but most likely not meant, such as a campaign
    that ended or an audience that nobody can be in; they make no catalog invalid. Writes nothing.

    Exit codes: 0 if the catalog is valid, warnings or not, 1 if it has a problem, 2 if the file cannot be read.

    For example:

        upbeat catalog lint infra/catalog/default.yaml
    """
    from datetime import UTC, datetime

    from infra.catalog.load import load_catalog
    from infra.catalog.warnings import warnings
    from shared.domain.errors import InvalidCatalog

    try:
        content = load_catalog(readable(file, "a catalog"))
    except InvalidCatalog as error:
        facts = {"file": str(file), "valid": False, "problems": error.problems}
        print_result("\n".join(error.problems), as_json=as_json, facts=facts)
        raise typer.Exit(1) from error
    summary, warned = _summary(content), [*warnings(content.document, datetime.now(UTC))]
    facts = {"file": str(file), "valid": True, **summary, "warnings": warned}
    lines = [f"{file} is valid: {_sentence(summary)}", *(f"warning: {sentence}" for sentence in warned)]
    print_result("\n".join(lines), as_json=as_json, facts=facts)


@catalog.command(cls=Command)
def show(file: CatalogFile, as_json: AsJson = False) -> None:
    """Show a catalog, placement by placement.

    Lists the campaigns of a placement in the order in which they win it, each with its offer, audience and
    experiment. Entries that no campaign uses follow at the end. Exits with 2 if the catalog is invalid.

    For example:

        upbeat catalog show infra/catalog/default.yaml
    """
    from infra.catalog.page import page
    from infra.catalog.references import winning_order
    from infra.terminal.console import print_page

    content = valid_catalog(file)
    if as_json:
        document = content.document.model_dump(mode="json", exclude_defaults=True)
        order = winning_order(content.document)
        print_json({"file": str(file), "version": content.version, "order": order, **document})
    else:
        print_page(page(content))


@catalog.command(cls=Command)
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A catalog, in YAML or JSON.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The catalog that may replace it.")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if the catalogs differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the differences between catalogs A and B.

    Prints every added, removed and changed entry, the campaigns that a change affects, and the placements in which
    another campaign now wins first. Of an experiment that runs, prints the effect on users who are assigned and on
    new ones. Catalogs of one version are the same: written-out defaults, comments and the order of keys make no
    difference.

    Exit codes: 0 whether the catalogs differ or not, 1 if they differ and --exit-code is given, 2 if one is
    invalid.

    For example:

        upbeat catalog diff infra/catalog/default.yaml new.yaml --exit-code
    """
    from infra.catalog.consequences import consequences
    from infra.catalog.diff import diff as compared
    from infra.catalog.diff_page import page
    from infra.terminal.console import print_page

    old, new = valid_catalog(before), valid_catalog(after)
    entries = compared(old, new)
    effects = consequences(entries, old, new)
    sides = {
        name: {"file": str(file), "version": content.version}
        for name, file, content in (("before", before, old), ("after", after, new))
    }
    if as_json:
        facts = {"differ": bool(entries), "entries": [asdict(entry) for entry in entries], **asdict(effects)}
        print_json(sides | facts)
    else:
        print_page(page(sides, entries, effects))
    if entries and exit_code:
        raise typer.Exit(1)


@catalog.command(cls=Command)
def publish(
    file: CatalogFile,
    project: Project = None,
    if_none: Annotated[
        bool, typer.Option("--if-none", help="Publish only if no catalog is in force; exit with 0 either way.")
    ] = False,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="What puts it in force, as catalog-published tells it.")
    ] = "catalog publish",
    as_json: AsJson = False,
) -> None:
    """Publish a catalog; functions use it within a minute.

    Writes the catalog, with the scores and policies beside it, to Firestore: in the running emulators, or in a
    cloud project. Then it publishes the whole catalog to the topic catalog-published. If it closes a campaign or
    an offer of the catalog before, prints the commands that recall what is open of it.

    Exit codes: 0 if it is published, 1 if something fails, also if only the message could not be sent (upbeat
    catalog announce sends it), 2 if the catalog is invalid; then nothing is published.

    For example:

        upbeat catalog publish new.yaml --project my-project
    """
    from infra.catalog.load import artifacts_of
    from infra.commands.publication import Publication, put_in_force
    from infra.remote.firestore import catalog_in_force, client_of
    from infra.remote.sweeps import in_force

    content = valid_catalog(file)
    client, bus = client_of(project), bus_of(project)
    summary = _summary(content)
    if if_none and (version := catalog_in_force(client)) is not None:
        facts = {"file": str(file), "published": False, **summary}
        print_result(f"{file} is not published: {version} is in force", as_json=as_json, facts=facts)
        return
    before = in_force(client)
    publication = Publication(content, before.catalog if before else None, artifacts_of(content, file), by)
    done = put_in_force(client, bus, publication, project, only_first=if_none)
    facts = {"file": str(file), "published": True, **summary, "number": done.number, "recalls": done.recalls}
    lines = [f"{file} is published: {_sentence(summary)}", *done.advice]
    print_result("\n".join(lines), as_json=as_json, facts=facts)


@catalog.command(cls=Command)
def announce(project: Project = None, as_json: AsJson = False) -> None:
    """Send the message about the catalog in force again.

    Publishes the catalog in force to the topic catalog-published. The message has the same id as the one that
    upbeat catalog publish sends, so that consumers drop either. Needed only if that could not be sent.

    Exit codes: 0 if it was sent, 1 if no catalog is in force or something fails.

    For example:

        upbeat catalog announce --project my-project
    """
    from infra.commands.publication import send_announcement
    from infra.remote.firestore import client_of

    message = send_announcement(client_of(project), bus_of(project), project)
    version = message.body["catalog_version"]
    facts = {"version": version, "message_id": message.message_id}
    print_result(f"{version} is announced: message {message.message_id}", as_json=as_json, facts=facts)


def _summary(content: "Catalog") -> dict[str, Any]:
    """The catalog's version, and the number of entries in each section."""
    return {"version": content.version} | {name: len(getattr(content.document, name)) for name in SECTIONS}


def _sentence(summary: dict[str, Any]) -> str:
    return f"version {summary['version']}, " + ", ".join(f"{summary[name]} {name}" for name in SECTIONS)


catalog.command(cls=Command)(recall)
catalog.command(cls=Command)(sweep)
