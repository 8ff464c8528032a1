"""Checks of audiences that are composed of others: cycles, repetitions, and bounds on depth and size."""

from collections.abc import Iterator, Mapping, Sequence

from shared.decisioning.document.problems import problem
from shared.decisioning.document.schema import CatalogDocument, Clauses

MAX_DEPTH = 4
"""The most audiences within each other, the outermost included."""
MAX_CLAUSES = 64
"""The most clauses of an audience with all audiences within it, each counted once."""
_FIELDS = ("all_of", "any_of", "none_of")
Audiences = Mapping[str, Clauses]


def audience_problems(document: CatalogDocument) -> Iterator[str]:
    """Every problem of audiences composed of others. Of a cycle, nothing else is told."""
    audiences = document.audiences
    for id_, terms in audiences.items():
        yield from _repetitions(f"audiences.{id_}", terms)
    levels = _levels(audiences)
    if cycles := _cycles(audiences, levels):
        yield from (_cycle_problem(cycle, audiences) for cycle in cycles)
    elif too_deep := [id_ for id_, level in levels.items() if level == MAX_DEPTH + 1]:
        # Audiences that contain these are too deep for the same reason.
        for id_ in too_deep:
            yield problem(f"audiences.{id_}", f"at most {MAX_DEPTH} audiences within each other", MAX_DEPTH + 1)
    else:
        yield from _too_large(audiences)


def _repetitions(path: str, terms: Clauses) -> Iterator[str]:
    """An audience named twice is most often another one misspelt; both wanted and excluded, it is nobody."""
    seen = set[str]()
    for field in _FIELDS:
        for index, member in enumerate(getattr(terms, field)):
            if member in seen:
                yield problem(f"{path}.{field}[{index}]", "each audience once", member)
            seen.add(member)


def _levels(audiences: Audiences) -> dict[str, int]:
    """The number of audiences within each other, by the outermost one; none for those that lead into a cycle."""
    levels: dict[str, int] = {}
    waiting = [*audiences]
    while ready := [id_ for id_ in waiting if levels.keys() >= {*_members(id_, audiences)}]:
        levels |= {id_: 1 + max((levels[one] for one in _members(id_, audiences)), default=0) for id_ in ready}
        waiting = [id_ for id_ in waiting if id_ not in levels]
    return levels


def _cycles(audiences: Audiences, levels: Mapping[str, int]) -> list[list[str]]:
    """The cycles into which audiences lead, each once, from its first audience in the order of the catalog."""
    cycles: dict[frozenset[str], list[str]] = {}
    for id_ in audiences:
        path = [] if id_ in levels else [id_]
        while path and path.count(path[-1]) == 1:
            path.append(next(one for one in _members(path[-1], audiences) if one not in levels))
        cycle = path[path.index(path[-1]) : -1] if path else []
        if cycle:
            cycles.setdefault(frozenset(cycle), cycle)
    return [*cycles.values()]


def _cycle_problem(cycle: Sequence[str], audiences: Audiences) -> str:
    """The problem of a cycle, at the field by which its first audience leads into it."""
    first, second = cycle[0], [*cycle, cycle[0]][1]
    places = (
        f"audiences.{first}.{field}[{index}]"
        for field in _FIELDS
        for index, member in enumerate(getattr(audiences[first], field))
        if member == second
    )
    way = " > ".join((*cycle, first))
    return problem(next(places), f"an audience that does not contain {first} ({way})", second)


def _too_large(audiences: Audiences) -> Iterator[str]:
    """The audiences that are too large; of those within each other the innermost one."""
    within: dict[str, set[str]] = {}

    def contents(id_: str) -> set[str]:
        if id_ not in within:
            within[id_] = {id_}.union(*(contents(member) for member in _members(id_, audiences)))
        return within[id_]

    def size(id_: str) -> int:
        return sum(len(audiences[one].all) + len(audiences[one].any) for one in contents(id_))

    for id_ in audiences:
        if size(id_) > MAX_CLAUSES >= max((size(member) for member in _members(id_, audiences)), default=0):
            yield problem(
                f"audiences.{id_}", f"at most {MAX_CLAUSES} clauses with those of its audiences", size(id_)
            )


def _members(id_: str, audiences: Audiences) -> list[str]:
    """The audiences of which one is composed, as far as the catalog has them."""
    return [member for member in audiences[id_].members if member in audiences]
