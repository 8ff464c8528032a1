"""Which entries of a catalog refer to which others, found by the names of their fields."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
"""A catalog's document, or a part of it, as JSON."""
Place = tuple[str, str]
"""A section of a catalog and the id of an entry in it."""
NAMED_OTHERWISE = {"moments": "milestones", "fallback": "offers"}
"""Fields whose entries are kept in a section of another name."""
_IN_A_CLAUSE = re.compile(r"\b(\w+)\.(\w+)\b")


def referred(document: Json, field: str, text: str) -> Iterator[Place]:
    """The entry that a field's text names: `offer` one of the `offers`, and so on.

    A text may carry a version or an offset (`lapsed@7`). A clause names what it asks for by a full name.
    """
    word = field.rpartition("_")[2]
    id_ = text.partition("@")[0]
    for section in (word, f"{word}s", NAMED_OTHERWISE.get(field, "")):
        if id_ in _entries(document, section):
            yield section, id_
    for section, name in _IN_A_CLAUSE.findall(text):
        if name in _entries(document, section):
            yield section, name


def references(document: Json, value: Any, field: str = "") -> Iterator[Place]:
    """Every entry that a value names somewhere in it, perhaps more than once."""
    match value:
        case str():
            yield from referred(document, field, value)
        case list():
            for it in value:
                yield from references(document, it, field)
        case dict():
            for name, it in value.items():
                yield from references(document, it, name)


def behind(document: Json, place: Place) -> set[Place]:
    """Every entry on which one rests, by however many steps; not itself."""
    found: set[Place] = set()
    ahead = [place]
    while ahead:
        section, id_ = ahead.pop()
        new = set(references(document, _entries(document, section).get(id_))) - found
        found |= new
        ahead += new
    return found - {place}


def winning_order(document: Json) -> dict[str, list[str]]:
    """Of each placement, the campaigns that compete for it, those that win first first: by priority, rank, and id.

    A rank that is a score differs from user to user, and counts as none.
    """
    order: dict[str, list[str]] = {placement: [] for placement in _entries(document, "placements")}
    campaigns = _entries(document, "campaigns")
    for id_ in sorted(campaigns, key=lambda id_: (-campaigns[id_]["priority"], -_rank(campaigns[id_]), id_)):
        order[campaigns[id_]["placement"]].append(id_)
    return order


def _rank(campaign: Json) -> float:
    rank = campaign.get("rank", 0)
    return 0.0 if isinstance(rank, dict) else rank


def _entries(document: Json, section: str) -> Json:
    entries = document.get(section)
    return entries if isinstance(entries, dict) else {}
