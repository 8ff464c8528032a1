"""What a catalog's entries rest on, and the order in which campaigns win a placement."""

from collections.abc import Iterable

from shared.decisioning.document.references import Place, Reference, references
from shared.decisioning.document.schema import CatalogDocument, precedence


def resolved(document: CatalogDocument) -> list[Reference]:
    """The references of a catalog that lead to an entry of it."""
    return [one for one in references(document) if one.target.id in getattr(document, one.target.section)]


def behind(known: Iterable[Reference], place: Place) -> set[Place]:
    """Every entry on which one rests, by however many steps; not the entry itself."""
    targets: dict[Place, set[Place]] = {}
    for reference in known:
        targets.setdefault(reference.owner, set()).add(reference.target)
    found: set[Place] = set()
    unvisited = [place]
    while unvisited:
        new = targets.get(unvisited.pop(), set()) - found
        found |= new
        unvisited += new
    return found - {place}


def winning_order(document: CatalogDocument) -> dict[str, list[str]]:
    """The campaigns that compete for each placement, the one that wins first at the front.

    A rank that a score gives differs from user to user, and counts as 0 here.
    """
    order: dict[str, list[str]] = {placement: [] for placement in document.placements}
    campaigns = document.campaigns.items()
    for id_, terms in sorted(campaigns, key=lambda one: precedence(one[0], one[1], one[1].fixed_rank)):
        order[terms.placement].append(id_)
    return order
