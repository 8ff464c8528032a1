"""`catalog lint` and `catalog publish`: check a catalog, and put it in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.commands.common import AsJson, Project, say
from infra.commands.inputs import readable, valid_catalog

if TYPE_CHECKING:
    from shared.decisioning.catalog import Catalog

CatalogFile = Annotated[Path, typer.Argument(help="The catalog, in YAML or JSON.")]
SECTIONS = ("campaigns", "offers", "audiences", "placements")

catalog = typer.Typer(no_args_is_help=True, help="Check a catalog, or put it in force.")


@catalog.command()
def lint(file: CatalogFile, as_json: AsJson = False) -> None:
    """Name every problem of a catalog: its path, what was expected there, and what was found."""
    from infra.catalog_file import load_catalog
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
def publish(file: CatalogFile, project: Project = None, as_json: AsJson = False) -> None:
    """Put a catalog in force; functions take it up within a minute. One with a problem is refused.

    It goes to the emulators that are up, or to a cloud project.
    """
    from infra.local.firestore import client_of, publish_catalog

    content = valid_catalog(file)
    publish_catalog(client_of(project), content)
    told = _told(content)
    say(f"{file} is in force: {_sentence(told)}", as_json=as_json, facts={"file": str(file), **told})


def _told(content: "Catalog") -> dict[str, Any]:
    return {"version": content.version} | {name: len(getattr(content.document, name)) for name in SECTIONS}


def _sentence(told: dict[str, Any]) -> str:
    return f"version {told['version']}, " + ", ".join(f"{told[name]} {name}" for name in SECTIONS)
