"""The dependencies between a catalog's entries, and the order in which campaigns win a placement."""

from collections.abc import Iterable

from shared.decisioning.document.references import Place, Reference, references
from shared.decisioning.document.schema import CatalogDocument, precedence


def resolved(document: CatalogDocument) -> list[Reference]:
    """The references of a catalog whose target exists in it."""
    return [each for each in references(document) if each.target.id in getattr(document, each.target.section)]


def behind(known: Iterable[Reference], place: Place) -> set[Place]:
    """Every entry that `place` depends on, directly or not, without `place` itself. Cycles end the search.

    What is behind a campaign that this one follows is behind this one; what is behind a campaign whose offers an
    audience asks about is not.
    """
    targets: dict[Place, set[Place]] = {}
    for reference in known:
        targets.setdefault(reference.owner, set()).add(reference.target)
    dependencies: set[Place] = set()
    unvisited = [place]
    while unvisited:
        owner = unvisited.pop()
        new = targets.get(owner, set()) - dependencies
        dependencies |= new
        unvisited += [each for each in new if owner.section == "campaigns" or each.section != "campaigns"]
    return dependencies - {place}


def winning_order(document: CatalogDocument) -> dict[str, list[str]]:
    """The campaigns of each placement, the campaign that wins first at the front.

    A rank given by a score differs between users and counts as 0 here.
    """
    order: dict[str, list[str]] = {placement: [] for placement in document.placements}
    campaigns = document.campaigns.items()
    for id_, terms in sorted(campaigns, key=lambda item: precedence(item[0], item[1], item[1].fixed_rank)):
        order[terms.placement].append(id_)
    return order
