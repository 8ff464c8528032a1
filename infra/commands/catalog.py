"""`catalog`: check a catalog, read it, compare it with another, and publish it."""

from typing import Annotated

import typer

from infra.commands.catalog_approve import approve
from infra.commands.catalog_history import history, rollback
from infra.commands.catalog_options import CatalogFile, sentence, summary
from infra.commands.catalog_publish import announce, publish
from infra.commands.catalog_sync import sync
from infra.commands.common import AsJson, Project, print_json, print_result
from infra.commands.inputs import named_catalog, readable
from infra.commands.sweeps import recall, sweep
from infra.terminal.help_page import Command

SOURCES = "a file in YAML or JSON, the number or version of a publication, or current."

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
    counted, warned = summary(content), [*warnings(content.document, datetime.now(UTC))]
    facts = {"file": str(file), "valid": True, **counted, "warnings": warned}
    lines = [f"{file} is valid: {sentence(counted)}", *(f"warning: {each}" for each in warned)]
    print_result("\n".join(lines), as_json=as_json, facts=facts)


@catalog.command(cls=Command)
def show(
    source: Annotated[str, typer.Argument(metavar="CATALOG", help=f"The catalog: {SOURCES}")] = "current",
    project: Project = None,
    as_json: AsJson = False,
) -> None:
    """Show a catalog, placement by placement.

    Lists the campaigns of a placement in the order in which they win it, each with its offer, audience and
    experiment. Entries that no campaign uses follow at the end. Exits with 2 if the catalog is invalid.

    For example:

        upbeat catalog show infra/catalog/default.yaml
        upbeat catalog show --project my-project
        upbeat catalog show 1790000000
    """
    from infra.catalog.page import page
    from infra.catalog.references import winning_order
    from infra.terminal.console import print_page

    content = named_catalog(source, project)
    if as_json:
        document = content.document.model_dump(mode="json", exclude_defaults=True)
        order = winning_order(content.document)
        print_json({"file": source, "version": content.version, "order": order, **document})
    else:
        print_page(page(content))


@catalog.command(cls=Command)
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=f"A catalog: {SOURCES}")],
    after: Annotated[str, typer.Argument(metavar="B", help="The catalog that may replace it.")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if the catalogs differ.")] = False,
    project: Project = None,
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
        upbeat catalog diff current new.yaml --project my-project
    """
    from infra.catalog.comparison import compare
    from infra.terminal.console import print_page

    old, new = named_catalog(before, project), named_catalog(after, project)
    compared = compare(old, new, (before, after))
    if as_json:
        print_json(compared.facts())
    else:
        print_page(compared.page())
    if compared.entries and exit_code:
        raise typer.Exit(1)


for command in (publish, announce, sync, approve, history, rollback, recall, sweep):
    catalog.command(cls=Command)(command)
