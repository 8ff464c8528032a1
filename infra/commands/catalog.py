"""`catalog`: check a catalog, read it, compare it with another, and put it in force."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, say
from infra.commands.inputs import readable, valid_catalog

if TYPE_CHECKING:
    from shared.decisioning.catalog import Catalog

CatalogFile = Annotated[Path, typer.Argument(help="The catalog, in YAML or JSON.")]
SECTIONS = ("campaigns", "offers", "audiences", "placements")

catalog = typer.Typer(
    no_args_is_help=True, help="Check a catalog, read it, compare it with another, or put it in force."
)


@catalog.command()
def lint(file: CatalogFile, as_json: AsJson = False) -> None:
    """Name every problem of a catalog: its path, what was expected there, and what was found."""
    from infra.catalog.load import load_catalog
    from shared.domain.errors import InvalidCatalog

    try:
        told = _told(load_catalog(readable(file, "a catalog")))
    except InvalidCatalog as error:
        facts = {"file": str(file), "valid": False, "problems": error.problems}
        say("\n".join(error.problems), as_json=as_json, facts=facts)
        raise typer.Exit(1) from error
    facts = {"file": str(file), "valid": True, **told}
    say(f"{file} is valid: {_sentence(told)}", as_json=as_json, facts=facts)


@catalog.command()
def show(file: CatalogFile, as_json: AsJson = False) -> None:
    """Show a catalog by placement, the campaigns in the order in which they win it, each with all it rests on."""
    from rich.console import Console

    from infra.catalog.page import page
    from infra.catalog.references import winning_order

    content = valid_catalog(file)
    if as_json:
        document = content.document.model_dump(mode="json", exclude_defaults=True)
        order = winning_order(content.document)
        say("", as_json=True, facts={"file": str(file), "version": content.version, "order": order, **document})
    else:
        Console(highlight=False).print(page(content))


@catalog.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A catalog, in YAML or JSON.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another, which may come after it.")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if they differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what catalog B changes against A, entry by entry, and which campaigns are affected by it.

    Catalogs of one version are the same: defaults written out, comments and the order of keys change nothing.
    Whether they differ or not, the exit code is 0, unless --exit-code asks for 1.
    """
    from rich.console import Console

    from infra.catalog.consequences import consequences
    from infra.catalog.diff import diff as compared
    from infra.catalog.diff_page import page

    old, new = valid_catalog(before), valid_catalog(after)
    entries = compared(old, new)
    follows = consequences(entries, old, new)
    sides = {
        name: {"file": str(file), "version": it.version}
        for name, file, it in (("before", before, old), ("after", after, new))
    }
    if as_json:
        told = {"differ": bool(entries), "entries": [asdict(entry) for entry in entries], **asdict(follows)}
        say("", as_json=True, facts=sides | told)
    else:
        Console(highlight=False).print(page(sides, entries, follows))
    if entries and exit_code:
        raise typer.Exit(1)


@catalog.command()
def publish(file: CatalogFile, project: Project = None, as_json: AsJson = False) -> None:
    """Put a catalog in force; functions take it up within a minute. One with a problem is refused.

    It goes to the emulators that are up, or to a cloud project.
    """
    from infra.catalog.load import artifacts_of
    from infra.remote.firestore import client_of, publish_catalog

    content = valid_catalog(file)
    publish_catalog(client_of(project), content, artifacts_of(content, file))
    told = _told(content)
    say(f"{file} is in force: {_sentence(told)}", as_json=as_json, facts={"file": str(file), **told})


def _told(content: "Catalog") -> dict[str, Any]:
    return {"version": content.version} | {name: len(getattr(content.document, name)) for name in SECTIONS}


def _sentence(told: dict[str, Any]) -> str:
    return f"version {told['version']}, " + ", ".join(f"{told[name]} {name}" for name in SECTIONS)
