"""A catalog kept in a folder, one YAML file for each entry: campaigns/save_offer.yaml, and settings.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infra.catalog.load import artifact_beside, artifact_locations
from infra.strict_yaml import MAX_BYTES, InvalidYaml, read_yaml
from shared.adapters.gcp.paths import ArtifactLocation
from shared.decisioning.document.entries import MAX_ENTRIES, SECTIONS, SETTINGS, Entry, Mistake
from shared.decisioning.document.problems import guess
from shared.decisioning.document.schema import CatalogDocument


class EntriesFolder:
    """`Entries` in a folder. The mistakes that are reported are kept in `mistakes`."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mistakes: Sequence[Mistake] = ()

    async def list(self) -> tuple[Sequence[Entry], Sequence[Mistake]]:
        """See `Entries.list`. Raises `OSError` if a file cannot be read."""
        entries: list[Entry] = []
        mistakes: list[Mistake] = []
        files = sorted(path for path in self.folder.rglob("*") if path.suffix in {".yaml", ".yml"})
        for file in files[: MAX_ENTRIES + 1]:
            entry, mistake = self._entry(file)
            entries += [entry] if entry else []
            mistakes += [mistake] if mistake else []
        return entries, mistakes

    async def report(self, mistakes: Sequence[Mistake], version: str | None) -> None:  # noqa: ARG002 - the port's
        """See `Entries.report`."""
        self.mistakes = mistakes

    async def artifacts(self, document: CatalogDocument) -> Mapping[str, bytes]:
        """The scores and policies that a catalog names, as far as they are beside its entries, by their paths."""
        beside = self.folder / f"{SETTINGS}.yaml"
        found = {location.path: artifact_beside(beside, location) for location in artifact_locations(document)}
        return {path: content for path, content in found.items() if content is not None}

    def scores(self) -> Iterator[tuple[ArtifactLocation, str]]:
        """The scores beside the entries: scores/NAME.VERSION.json."""
        for file in sorted((self.folder / "scores").glob("*.json")):
            yield ArtifactLocation("scores", file.stem, "artifact", immutable=True), file.read_text()

    def _entry(self, file: Path) -> tuple[Entry | None, Mistake | None]:
        """The entry of a file. One that cannot be read has no fields, so that others may still name it."""
        place, parts = str(file), file.relative_to(self.folder).with_suffix("").parts
        if parts == (SETTINGS,):
            section, id_ = SETTINGS, SETTINGS
        elif len(parts) == 2 and parts[0] in SECTIONS:
            section, id_ = parts
        else:
            sections = f"{', '.join(SECTIONS)}{guess(parts[0], SECTIONS)}"
            expected = f"{SETTINGS}.yaml, or SECTION/ID.yaml with one of {sections}"
            return None, Mistake(place, f"file: expected {expected}, found {'/'.join(parts)}{file.suffix}")
        try:
            with file.open("rb") as opened:
                return Entry(section, id_, read_yaml(opened.read(MAX_BYTES + 1)), place), None
        except InvalidYaml as error:
            return Entry(section, id_, {}, place), Mistake(place, f"file: {error}")
