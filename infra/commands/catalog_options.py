"""The options of the commands that put a catalog in force, and the words in which they tell of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.errors import UsageError
from infra.terminal.user_name import user_name

if TYPE_CHECKING:
    from shared.decisioning.catalog import Catalog

CatalogFile = Annotated[Path, typer.Argument(metavar="FILE", help="The catalog, in YAML or JSON.")]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="NAME", help="Who or what puts it in force; default: this command and your user name."
    ),
]
Emergency = Annotated[
    str | None,
    typer.Option(
        "--emergency",
        metavar="REASON",
        help="Put it in force without a second person; the reason stays on record.",
    ),
]
MAX_REASON = 300
"""The most characters of a reason."""
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would change; write nothing.")]
SECTIONS = ("campaigns", "offers", "audiences", "placements")
"""The sections whose entries are counted in a summary."""


def who(command: str, by: str | None) -> str:
    """The person or process as said, else the command and the user of this machine."""
    if by is not None:
        return by
    name = user_name()
    return f"{command} by {name}" if name else command


def reason(emergency: str | None) -> str | None:
    """The reason of an emergency as it is recorded; None if there is none. Raises `UsageError`."""
    if emergency is None:
        return None
    told = " ".join(emergency.split())
    if not 0 < len(told) <= MAX_REASON:
        raise UsageError(f"--emergency: expected a reason of 1 to {MAX_REASON} characters, found {len(told)}")
    return told


def summary(content: "Catalog") -> dict[str, Any]:
    """The catalog's version, and the number of entries in each section."""
    return {"version": content.version} | {name: len(getattr(content.document, name)) for name in SECTIONS}


def sentence(counted: dict[str, Any]) -> str:
    """A summary in words."""
    return f"version {counted['version']}, " + ", ".join(f"{counted[name]} {name}" for name in SECTIONS)
