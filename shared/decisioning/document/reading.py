"""The reading of a catalog's JSON into a document, with every mistake of shape, and as much as can be read."""

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.decisioning.document.problems import Location, malformed, meant_field, path_of
from shared.decisioning.document.schema import CatalogDocument
from shared.domain.errors import InvalidCatalog

Json = dict[str, object]
MAX_PROBLEMS = 200
"""The most problems reported at once, of each kind (shape, consistency); nobody reads more."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A catalog as far as it can be read."""

    document: CatalogDocument
    """The well-formed entries."""
    written: Json
    """The JSON of all entries, malformed ones included, with misspelt fields renamed to the field they mean."""
    problems: list[str] = field(default_factory=list)
    """A sentence for every mistake of shape."""
    mistakes: frozenset[str] = frozenset()
    """The paths of these mistakes."""

    def is_told(self, path: str) -> bool:
        """True if a mistake of shape is at a path, or within it."""
        return any(mistake == path or mistake.startswith((f"{path}.", f"{path}[")) for mistake in self.mistakes)


def read(written: Json) -> Reading:
    """Read a catalog. Raises `InvalidCatalog` if there is no catalog to read."""
    try:
        return Reading(_document(written), written)
    except ValidationError as error:
        problems = [*islice(malformed(error), MAX_PROBLEMS)]
        mended = deepcopy(written)
        renamed = {path_of(place) for details in error.errors() if (place := _mend(mended, details))}
        return _read_mended(mended, problems, renamed)


def _read_mended(written: Json, problems: list[str], renamed: Collection[str]) -> Reading:
    """The reading of a catalog once its unknown fields are renamed or removed. Adds the problems seen only now."""
    try:
        return Reading(_document(written), written, problems)
    except ValidationError as error:
        new = (each for each in malformed(error) if each not in problems and not _is_about(each, renamed))
        problems += islice(new, MAX_PROBLEMS)
        locations = [details["loc"] for details in error.errors(include_url=False)]
    if () in locations:
        raise InvalidCatalog(problems)
    return Reading(_well_formed(written, locations), written, problems, frozenset(map(path_of, locations)))


def _document(written: Json) -> CatalogDocument:
    return CatalogDocument.model_validate_json(json.dumps(written))


def _mend(written: Json, details: ErrorDetails) -> Location | None:
    """Rename an unknown field to the field that it most likely means, whose place is the result; else remove it.

    The rest of the entry, and what refers to it, can then be checked as if the mistake were mended.
    """
    if details["type"] != "extra_forbidden":
        return None
    location = details["loc"]
    part, name, meant = _part(written, location[:-1]), str(location[-1]), meant_field(location)
    if part is None or name not in part:
        return None
    value = part.pop(name)
    if meant is None or meant in part:
        return None
    part[meant] = value
    return (*location[:-1], meant)


def _part(written: object, location: Location) -> Json | None:
    """The object at a location; None if there is none. A lone object stands for a list of it."""
    for step in location:
        if isinstance(step, int) and isinstance(written, list):
            written = written[step] if step < len(written) else None
        elif not isinstance(step, int) and isinstance(written, dict):
            written = written.get(step)
    return written if isinstance(written, dict) else None


def _is_about(sentence: str, paths: Collection[str]) -> bool:
    """True for a sentence about a field that was renamed: the guess may be wrong, so its type is not judged."""
    return any(sentence.startswith(f"{path}: expected ") for path in paths)


def _well_formed(written: Json, locations: Collection[Location]) -> CatalogDocument:
    """The document without its malformed entries."""
    kept = _without(written, {location[:2] for location in locations})
    try:
        return _document(kept)
    except ValidationError as error:
        return _well_formed(kept, [details["loc"] for details in error.errors(include_url=False)])


def _without(written: Json, places: Collection[Location]) -> Json:
    """The JSON without the sections and entries at these places."""
    kept = {section: value for section, value in written.items() if (section,) not in places}
    return {section: _kept(section, value, places) for section, value in kept.items()}


def _kept(section: str, value: object, places: Collection[Location]) -> object:
    if not isinstance(value, Mapping):
        return value
    return {key: entry for key, entry in value.items() if (section, key) not in places}
