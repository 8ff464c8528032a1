"""Writes a catalog into a folder as `load` reads it: its file, with the scores and policies beside it."""

from pathlib import Path

from infra.catalog.load import Read, artifact_locations
from shared.decisioning.catalog import Catalog


def write_catalog(folder: Path, catalog: Catalog, read: Read) -> Path:
    """Write into a new folder, and return the catalog's file. `read` gives the scores and policies it names."""
    folder.mkdir()
    for location in artifact_locations(catalog.document):
        file = folder / f"{location.path}.json"
        file.parent.mkdir(exist_ok=True)
        if content := read(location):
            file.write_bytes(content)
    file = folder / "catalog.yaml"
    file.write_text(catalog.to_json())
    return file
