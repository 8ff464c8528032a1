"""Compile parsed JSON into a catalog: check everything, report every problem, refuse the whole if there is one."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice

from shared.contracts.strict_json import MAX_DEPTH, nests_deeper
from shared.decisioning.audiences.audience import Audience, all_of, any_of
from shared.decisioning.audiences.clauses import Clause, InvalidClause, compile_clause
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.checks import inconsistencies
from shared.decisioning.document.problems import problem
from shared.decisioning.document.reading import MAX_PROBLEMS, Json, read
from shared.decisioning.document.schema import Clauses
from shared.decisioning.library import Library
from shared.domain.errors import InvalidCatalog

EMPTY_LIBRARY = Library()
MAX_CHARACTERS = 900_000
"""The largest catalog as JSON text. A catalog is stored in one Firestore document, which holds 1 MiB.

https://cloud.google.com/firestore/quotas
"""


def compile_catalog(data: Mapping[str, object], library: Library = EMPTY_LIBRARY) -> Catalog:
    """The catalog that parsed JSON describes. Raises `InvalidCatalog` with all its problems.

    Scores and policies are looked up in the library when a decision needs them; a missing one fails closed.
    """
    written = _as_json(data)
    reading = read(written)
    document, problems = reading.document, [*reading.problems]
    audiences = {id_: _audience(id_, terms, problems) for id_, terms in document.audiences.items()}
    problems += islice(inconsistencies(reading), MAX_PROBLEMS)
    if problems:
        raise InvalidCatalog(problems)
    return Catalog.of(document, {id_: audience for id_, audience in audiences.items() if audience}, library)


def _as_json(data: Mapping[str, object]) -> Json:
    """The data as plain JSON. Values that only YAML has (dates, keys that are not text) become text."""
    try:
        written = json.loads(_text_of(data))
    except RecursionError:
        raise _too_deep() from None
    except (TypeError, ValueError) as error:
        raise InvalidCatalog([f"catalog: expected JSON, found something else ({error})"]) from None
    if not isinstance(written, dict):
        raise InvalidCatalog([problem("catalog", "an object", written)])
    if nests_deeper(written, MAX_DEPTH):
        raise _too_deep()
    return written


def _text_of(data: Mapping[str, object]) -> str:
    """The data as JSON text, at most `MAX_CHARACTERS` long.

    It is encoded piece by piece and stops at the limit, because a few lines of YAML with aliases can expand to
    gigabytes ("billion laughs").
    """
    pieces, length = [], 0
    for piece in json.JSONEncoder(default=str).iterencode(data):
        pieces.append(piece)
        length += len(piece)
        if length > MAX_CHARACTERS:
            raise InvalidCatalog([f"catalog: expected at most {MAX_CHARACTERS} characters, found more"])
    return "".join(pieces)


def _too_deep() -> InvalidCatalog:
    return InvalidCatalog([f"catalog: expected at most {MAX_DEPTH} levels of nesting, found more"])


def _audience(id_: str, terms: Clauses, problems: list[str]) -> Audience | None:
    path = f"audiences.{id_}"
    if bool(terms.all) == bool(terms.any):
        found = terms.model_dump(exclude_defaults=True)
        problems.append(problem(path, "clauses under either all or any", found))
        return None
    path, combine = (f"{path}.all", all_of) if terms.all else (f"{path}.any", any_of)
    entries = terms.all or terms.any
    clauses = _clauses(path, entries, problems)
    if len(clauses) < len(entries):
        return None
    return combine(id_, clauses)


def _clauses(path: str, entries: Sequence[Mapping[str, str]], problems: list[str]) -> list[Clause]:
    clauses: dict[str, Clause] = {}
    for index, [(name, text)] in enumerate(entry.items() for entry in entries):
        place = f"{path}[{index}].{name}"
        if name in clauses:
            problems.append(problem(place, "each name once", name))
        try:
            clauses[name] = compile_clause(name, text)
        except InvalidClause as mistake:
            problems.append(problem(place, str(mistake), text))
    return list(clauses.values())
