"""Checks of campaigns that follow others: none follows itself, and a holdout covers those that follow."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from shared.decisioning.document.experiment_checks import run_together
from shared.decisioning.document.problems import problem
from shared.decisioning.document.references import follow_up_references
from shared.decisioning.document.schema import CatalogDocument

Followed = Mapping[str, Sequence[str]]
"""The campaigns that each campaign follows; those that follow none are absent."""


def follow_up_problems(document: CatalogDocument) -> Iterator[str]:
    """Every problem of campaigns that follow others."""
    followed: dict[str, list[str]] = {}
    for reference in follow_up_references(document):
        followed.setdefault(reference.owner.id, []).append(reference.target.id)
    yield from _circles(document, followed)
    yield from _holdouts(document, followed)


def _circles(document: CatalogDocument, followed: Followed) -> Iterator[str]:
    """Campaigns that follow one another in a circle would go on for ever."""
    told = set[frozenset[str]]()
    for reference in follow_up_references(document):
        id_, target = reference.owner.id, reference.target.id
        ways = _ways(target, followed)
        circle = ways.get(id_, ())
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            links = ", ".join(f"{one} follows {other}" for one, other in pairwise(circle))
            other = f"a campaign that does not follow {id_} ({links})" if links else f"another campaign than {id_}"
            yield problem(reference.path, other, target)


def _holdouts(document: CatalogDocument, followed: Followed) -> Iterator[str]:
    """A holdout of a campaign that leaves out what follows it would compare users by half of a journey."""
    behind = {id_: _ways(id_, followed).keys() for id_ in followed}
    for id_, holdout in document.holdouts.items():
        named = {*(holdout.campaigns or ())}
        missing = [
            follower
            for follower, terms in document.campaigns.items()
            if follower not in named and named & behind.get(follower, set()) and run_together(holdout, terms)
        ]
        if missing:
            expected = f"the campaigns that follow these as well ({', '.join(missing)})"
            yield problem(f"holdouts.{id_}.campaigns", expected, holdout.campaigns)


def _ways(start: str, followed: Followed) -> dict[str, tuple[str, ...]]:
    """The way to itself and to every campaign that one follows, directly or not; both ends are included."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    unvisited = [start]
    while unvisited:
        way = ways[unvisited.pop(0)]
        for id_ in followed.get(way[-1], ()):
            if id_ not in ways:
                ways[id_] = (*way, id_)
                unvisited.append(id_)
    return ways
