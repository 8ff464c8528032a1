"""Checks across the parts of a catalog: dangling references, duplicates, and settings without effect."""

from collections import Counter
from collections.abc import Iterator

from shared.decisioning.document.experiment_checks import (
    duplicate_problems,
    experiment_problems,
    holdout_problems,
    problems_between,
    window_problems,
)
from shared.decisioning.document.problems import entry_of, guess, problem
from shared.decisioning.document.references import entry_references, score_references
from shared.decisioning.document.schema import Cap, CatalogDocument, QuietHours, Suppression
from shared.decisioning.document.vocabulary import parse_selector
from shared.domain.moments import MILESTONES, MomentKind

Json = dict[str, object]


def inconsistencies(document: CatalogDocument, written: Json) -> Iterator[str]:
    """Every problem across the well-formed parts of a catalog.

    `written` is the JSON with all its parts. A reference to a malformed entry is valid here, and a malformed
    campaign is a member of its group, because one mistake is told once.
    """
    for kind, offsets in document.milestones.items():
        yield from duplicate_problems(f"milestones.{kind}", offsets, "", "each offset once")
    for reference in entry_references(document):
        section, id_ = reference.target
        entries = written.get(section, {})
        if isinstance(entries, dict) and id_ not in entries:
            yield problem(reference.path, entry_of(section, entries, id_), id_)
    for id_, terms in document.campaigns.items():
        path = f"campaigns.{id_}"
        yield from window_problems(path, "starts_at", terms.starts_at, "ends_at", terms.ends_at)
        yield from _caps(f"{path}.cap", terms.cap)
        yield from _moments(f"{path}.moments", terms.moments, written)
        yield from _suppressions(f"{path}.suppress_on", terms.suppress_on)
        yield from _quiet(path, terms.quiet_hours)
    yield from _channels(document)
    for id_, experiment in document.experiments.items():
        yield from experiment_problems(f"experiments.{id_}", experiment)
    yield from _single_member_groups(document, written)
    yield from _unknown_scores(document, written)
    yield from problems_between(document)
    yield from holdout_problems(document)
    yield from _raises(document, written)


def _unknown_scores(document: CatalogDocument, written: Json) -> Iterator[str]:
    scores = _entries(written, "scores")
    for reference in score_references(document):
        score = reference.target.id
        if score not in scores:
            yield problem(reference.path, entry_of("scores", scores, score), f"scores.{score}")


def _raises(document: CatalogDocument, written: Json) -> Iterator[str]:
    """A raised score must be able to fall again, and a moment that a campaign reacts to must be able to come."""
    rules = {id_: score.raises for id_, score in document.scores.items() if score.raises}
    for id_, rule in rules.items():
        if rule.rearm_below > rule.at_least:
            path = f"scores.{id_}.raises.rearm_below"
            yield problem(path, f"at most at_least ({rule.at_least})", rule.rearm_below)
    raised = {rule.moment for rule in rules.values()} | set(_fields(written, "scores", "raises", "moment"))
    for id_, terms in document.campaigns.items():
        for index, moment in enumerate(terms.moments):
            if moment == MomentKind.CHURN_RISK_RAISED and moment not in raised:
                path = f"campaigns.{id_}.moments[{index}]"
                yield problem(path, "a moment that one of the scores raises (scores.NAME.raises)", moment)


def _single_member_groups(document: CatalogDocument, written: Json) -> Iterator[str]:
    """A group with one campaign excludes nothing: most often its name is misspelt."""
    groups = {id_: terms.exclusivity_group for id_, terms in document.campaigns.items() if terms.exclusivity_group}
    sizes = Counter(_fields(written, "campaigns", "exclusivity_group"))
    for id_, group in groups.items():
        if sizes[group] == 1:
            suggestion = guess(group, sizes.keys() - {group})
            yield problem(f"campaigns.{id_}.exclusivity_group", f"a group of several campaigns{suggestion}", group)


def _caps(path: str, caps: tuple[Cap, ...]) -> Iterator[str]:
    """A cap that another cap always enforces as well can never be the one that stops a campaign."""
    for index, cap in enumerate(caps):
        for other in _same_count(cap, caps):
            if other.window_days == cap.window_days:
                if other in caps[:index]:
                    yield problem(f"{path}[{index}].window_days", "each window once", cap.window_days)
            elif _is_longer(other.window_days, cap.window_days) and other.max <= cap.max:
                longer = f"{other.window_days} days" if other.window_days else "ever"
                expected = f"less than the {other.max} of the longer window ({longer}), which it can never exceed"
                yield problem(f"{path}[{index}].max", expected, cap.max)


def _same_count(cap: Cap, caps: tuple[Cap, ...]) -> Iterator[Cap]:
    """The other caps that count the same events."""
    return (other for other in caps if other is not cap and (other.scope, other.event) == (cap.scope, cap.event))


def _suppressions(path: str, rules: tuple[Suppression, ...]) -> Iterator[str]:
    """Two rules about the same feedback are a mistake: the longer one already covers the shorter one."""
    about = [(rule.scope, rule.event) for rule in rules]
    for index, rule in enumerate(rules):
        if about[index] in about[:index]:
            yield problem(f"{path}[{index}].event", f"each event once for the {rule.scope}", rule.event)


def _is_longer(window_days: int | None, other: int | None) -> bool:
    return other is not None and (window_days is None or window_days > other)


def _channels(document: CatalogDocument) -> Iterator[str]:
    """The rules of a channel must be of use: a placement delivers by it."""
    known = {placement.channel for placement in document.placements.values()}
    for id_, channel in document.channels.items():
        yield from _quiet(f"channels.{id_}", channel.quiet_hours)
        if id_ not in known:
            suggestion = guess(id_, known)
            yield problem(f"channels.{id_}", f"the channel of a placement{suggestion}", id_)


def _quiet(path: str, quiet: QuietHours | None) -> Iterator[str]:
    if quiet and quiet.start == quiet.end:
        yield problem(f"{path}.quiet_hours.end", f"another time than start ({quiet.start})", quiet.end)


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


def _fields(written: Json, section: str, *path: str) -> Iterator[str]:
    """The texts at a path of every entry of a section, malformed entries included."""
    for value in _entries(written, section).values():
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None  # noqa: PLW2901
        if isinstance(value, str):
            yield value


def _entries(written: Json, section: str) -> Json:
    entries = written.get(section)
    return entries if isinstance(entries, dict) else {}
