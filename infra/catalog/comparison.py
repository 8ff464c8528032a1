"""Two catalogs compared, as a page and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group

from infra.catalog import diff_page
from infra.catalog.consequences import Consequences, consequences
from infra.catalog.diff import EntryDiff, diff
from shared.decisioning.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of two catalogs, and their effects."""

    sides: Mapping[str, Mapping[str, str]]
    """`before` and `after`, each with its version and the `file` that it is from."""
    entries: tuple[EntryDiff, ...]
    effects: Consequences

    def page(self) -> Group:
        """The comparison for people."""
        return diff_page.page(self.sides, self.entries, self.effects)

    def facts(self) -> dict[str, Any]:
        """The comparison as JSON."""
        entries = [asdict(entry) for entry in self.entries]
        return {"differ": bool(entries), "entries": entries, **asdict(self.effects), **self.sides}


def compare(before: Catalog, after: Catalog, files: tuple[str, str]) -> Comparison:
    """The comparison of two catalogs, which `files` name."""
    entries = diff(before, after)
    named = zip(("before", "after"), files, (before, after), strict=True)
    sides = {side: {"file": file, "version": content.version} for side, file, content in named}
    return Comparison(sides, entries, consequences(entries, before, after))
