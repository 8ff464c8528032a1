"""The offsets of milestones that a catalog asks for, in its map of milestones and in its campaigns' moments."""

from shared.decisioning.document.schema import CatalogDocument
from shared.decisioning.document.vocabulary import parse_selector
from shared.domain.milestones import Offsets
from shared.domain.moments import MILESTONES

MAX_OFFSETS = 16
"""The most offsets of one milestone, so that a user's document remembers all that it has decided lately."""


def milestone_offsets(document: CatalogDocument) -> Offsets:
    """The offsets of every milestone: those of the map, then those that only campaigns name, each once."""
    offsets = {kind: dict.fromkeys(document.milestones.get(kind, ())) for kind in sorted(MILESTONES)}
    written = {selector for terms in document.campaigns.values() for selector in terms.moments if "@" in selector}
    named = [(one.kind, one.offset) for one in map(parse_selector, written) if one.kind in offsets and one.offset]
    for kind, offset in sorted(named):
        offsets[kind][offset] = None
    return {kind: (*each,) for kind, each in offsets.items()}
