"""Compile parsed JSON into a catalog: check everything, report every problem, refuse the whole if there is one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from shared.contracts.strict_json import MAX_DEPTH, nests_deeper
from shared.decisioning.audiences.attributes import Declared, declared_facts
from shared.decisioning.audiences.audience import Audience, all_of, any_of, composed
from shared.decisioning.audiences.clauses import Clause, InvalidClause, compile_clause
from shared.decisioning.audiences.facts import passing
from shared.decisioning.catalog import Catalog
from shared.decisioning.document.checks import inconsistencies
from shared.decisioning.document.problems import problem
from shared.decisioning.document.reading import MAX_PROBLEMS, Json, read
from shared.decisioning.document.schema import CatalogDocument, Clauses
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
    declared = declared_facts(document)
    own = {id_: _own(id_, terms, declared, problems) for id_, terms in document.audiences.items()}
    problems += islice(inconsistencies(reading), MAX_PROBLEMS)
    if problems:
        raise InvalidCatalog(problems)
    audiences = _composed(document.audiences, own)
    if problems := [*_passing_holdouts(document, audiences)]:
        raise InvalidCatalog(problems)
    return Catalog.of(document, audiences, library)


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


def _own(id_: str, terms: Clauses, declared: Declared, problems: list[str]) -> Audience:
    """The audience of the terms' own clauses, with their problems noted."""
    path = f"audiences.{id_}"
    if terms.all and terms.any:
        problems.append(problem(path, "clauses under either all or any", terms.model_dump(exclude_defaults=True)))
    elif not (terms.all or terms.any or terms.members):
        expected = "clauses under all or any, or audiences under all_of, any_of or none_of"
        problems.append(problem(path, expected, {}))
    if terms.any:
        return any_of(id_, _clauses(f"{path}.any", terms.any, declared, problems))
    return all_of(id_, _clauses(f"{path}.all", terms.all, declared, problems))


def _composed(terms: Mapping[str, Clauses], own: Mapping[str, Audience]) -> dict[str, Audience]:
    """The audiences with the others of which they are composed, each one object. No audience contains itself."""
    whole: dict[str, Audience] = {}

    def audience(id_: str) -> Audience:
        if id_ not in whole:
            members = (
                (audience(one) for one in ids)
                for ids in (terms[id_].all_of, terms[id_].any_of, terms[id_].none_of)
            )
            whole[id_] = composed(own[id_], *members) if terms[id_].members else own[id_]
        return whole[id_]

    return {id_: audience(id_) for id_ in terms}


def _passing_holdouts(document: CatalogDocument, audiences: Mapping[str, Audience]) -> Iterator[str]:
    """Holdouts whose users would change by what happens to them, which is what they are to measure."""
    for id_, holdout in document.holdouts.items():
        if holdout.audience and (found := passing(audiences[holdout.audience].variables)):
            facts = ", ".join(sorted(found))
            expected = f"an audience that does not ask for {facts}, by which users would come and go"
            yield problem(f"holdouts.{id_}.audience", expected, holdout.audience)


def _clauses(
    path: str, entries: Sequence[Mapping[str, str]], declared: Declared, problems: list[str]
) -> list[Clause]:
    clauses: dict[str, Clause] = {}
    for index, [(name, text)] in enumerate(entry.items() for entry in entries):
        place = f"{path}[{index}].{name}"
        if name in clauses:
            problems.append(problem(place, "each name once", name))
        try:
            clauses[name] = compile_clause(name, text, declared)
        except InvalidClause as mistake:
            problems.append(problem(place, str(mistake), text))
    return list(clauses.values())
