"""What must hold between the parts of a catalog: no reference dangles, nothing is said twice or in vain."""

from collections.abc import Iterable, Iterator

from shared.decisioning.problems import guess, problem
from shared.decisioning.schema import CampaignTerms, CatalogDocument, parse_selector
from shared.domain.moments import MILESTONES

Json = dict[str, object]


def inconsistencies(document: CatalogDocument, written: Json) -> Iterator[str]:
    """Every problem between well-formed parts.

    `written` is the JSON with all its parts: an offer that is malformed was reported as such, and still is there
    for those who refer to it.
    """
    for kind, offsets in document.milestones.items():
        yield from _repeated(f"milestones.{kind}", offsets, "", "each offset once")
    for id_, terms in document.campaigns.items():
        path = f"campaigns.{id_}"
        yield from _dangling(path, terms, written)
        yield from _schedule(path, terms)
        yield from _repeated(
            f"{path}.cap", [cap.window_days for cap in terms.cap], ".window_days", "each window once"
        )
        yield from _moments(f"{path}.moments", terms.moments, written)


def _dangling(path: str, terms: CampaignTerms, written: Json) -> Iterator[str]:
    references = {
        "offer": ("offers", terms.offer),
        "placement": ("placements", terms.placement),
        "audience": ("audiences", terms.audience),
    }
    for field, (section, id_) in references.items():
        known = _entries(written, section)
        if id_ is not None and id_ not in known:
            yield problem(f"{path}.{field}", f"one of the {section}{guess(id_, known)}", id_)


def _schedule(path: str, terms: CampaignTerms) -> Iterator[str]:
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        yield problem(
            f"{path}.ends_at", f"a time after starts_at ({terms.starts_at.isoformat()})", terms.ends_at.isoformat()
        )


def _moments(path: str, selectors: tuple[str, ...], written: Json) -> Iterator[str]:
    selected = [parse_selector(selector) for selector in selectors]
    if not selected:
        yield problem(path, "at least one moment", [])
    for index, (kind, days) in enumerate(selected):
        offsets = _entries(written, "milestones").get(kind, [])
        place, found = f"{path}[{index}]", selectors[index]
        if (kind, days) in selected[:index] or (days is not None and (kind, None) in selected):
            yield problem(place, "each moment once", found)
        if days is not None and isinstance(offsets, list) and days not in offsets:
            yield problem(place, f"one of milestones.{kind} ({', '.join(map(str, offsets)) or 'none'})", found)
        if days is None and kind in MILESTONES and not offsets:
            yield problem(place, f"a milestone with days in milestones.{kind}", found)


def _repeated(path: str, values: Iterable[object], field: str, expected: str) -> Iterator[str]:
    seen: list[object] = []
    for index, value in enumerate(values):
        if value in seen:
            yield problem(f"{path}[{index}]{field}", expected, value)
        seen.append(value)


def _entries(written: Json, section: str) -> Json:
    entries = written.get(section)
    return entries if isinstance(entries, dict) else {}
