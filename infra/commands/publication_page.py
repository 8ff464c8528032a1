"""The changes of a publication, made or planned, for people and as JSON."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.console import RenderableType
from rich.text import Text

from infra.catalog.comparison import compare
from infra.remote.publication import Preview, advice
from infra.remote.stored_catalog import CurrentCatalog
from shared.adapters.gcp.catalog_publisher import ArtifactChange
from shared.decisioning.catalog import Catalog

ARTIFACTS = {
    ArtifactChange.NEW: "new",
    ArtifactChange.SAME: "published already",
    ArtifactChange.REPLACED: "replaces the one that is published",
    ArtifactChange.REFUSED: "refused: the version is published with other content; new content needs a new one",
}
"""The fate of a score or a policy, in words."""


class Change(NamedTuple):
    """The difference between the catalog in force and another one."""

    page: RenderableType
    facts: dict[str, Any]


def change(current: CurrentCatalog | None, after: Catalog, file: str) -> Change:
    """The difference between the catalog in force, if there is one, and another one that `file` names."""
    facts: dict[str, Any] = {"before": None, "after": {"file": file, "version": after.version}}
    if current is None:
        return Change(Text("No catalog is in force."), facts)
    version = current.publication.version
    if current.catalog is None:
        facts["before"] = {"file": "in force", "version": version}
        return Change(Text(f"{version} is in force, and this version of Upbeat cannot read it."), facts)
    compared = compare(current.catalog, after, (f"in force, number {current.publication.number}", file))
    return Change(compared.page(), compared.facts())


def preview_lines(seen: Preview) -> Iterator[str]:
    """The lines of a dry run that follow the differences."""
    yield ""
    yield from (f"warning: {each}" for each in seen.warnings)
    yield from (f"{path}: {ARTIFACTS[what]}" for path, what in seen.artifacts.items())
    yield f"The publication would have the number {seen.number} or a higher one."
    yield from advice(seen.recalls)
    if seen.refused:
        yield "It would fail, and nothing is published."
    else:
        waits = "It would wait for another person's approval. " if seen.waits else ""
        yield f"{waits}Nothing is published (dry run)."
