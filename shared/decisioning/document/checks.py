"""Checks across the parts of a catalog: dangling references, duplicates, and settings without effect."""

from collections import Counter
from collections.abc import Iterator

from shared.decisioning.document.audience_checks import audience_problems
from shared.decisioning.document.dangling import dangling, dangling_problems
from shared.decisioning.document.experiment_checks import (
    duplicate_problems,
    experiment_problems,
    holdout_problems,
    problems_between,
    window_problems,
)
from shared.decisioning.document.problems import closest, guess, problem
from shared.decisioning.document.reading import Reading
from shared.decisioning.document.references import entries_of
from shared.decisioning.document.schema import ByScore, Cap, CatalogDocument, QuietHours, Suppression
from shared.decisioning.document.vocabulary import parse_selector
from shared.domain.moments import MILESTONES, MomentKind


def inconsistencies(reading: Reading) -> Iterator[str]:
    """Every problem across the parts of a catalog.

    A reference to a malformed entry is valid here, and a malformed campaign is a member of its group, because one
    mistake is told once.
    """
    document = reading.document
    for kind, offsets in document.milestones.items():
        yield from duplicate_problems(f"milestones.{kind}", offsets, "", "each offset once")
    yield from dangling_problems(reading)
    yield from audience_problems(document)
    for id_, terms in document.campaigns.items():
        path = f"campaigns.{id_}"
        yield from window_problems(path, "starts_at", terms.starts_at, "ends_at", terms.ends_at)
        yield from _caps(f"{path}.cap", terms.cap)
        yield from _moments(f"{path}.moments", terms.moments, reading)
        yield from _suppressions(f"{path}.suppress_on", terms.suppress_on)
        yield from _quiet(path, terms.quiet_hours)
        if terms.require_score and not isinstance(terms.rank, ByScore):
            yield problem(f"{path}.require_score", "false, as no score ranks the campaign", found=True)
    yield from _channels(reading)
    for id_, experiment in document.experiments.items():
        yield from experiment_problems(f"experiments.{id_}", experiment)
    yield from _single_member_groups(reading)
    yield from problems_between(document)
    yield from holdout_problems(document)
    yield from _raises(document)
    yield from _moments_that_no_score_raises(reading)


def _raises(document: CatalogDocument) -> Iterator[str]:
    """A raised score must be able to fall again."""
    for id_, score in document.scores.items():
        if (rule := score.raises) and rule.rearm_below > rule.at_least:
            path = f"scores.{id_}.raises.rearm_below"
            yield problem(path, f"at most at_least ({rule.at_least})", rule.rearm_below)


def _moments_that_no_score_raises(reading: Reading) -> Iterator[str]:
    """A moment that a campaign reacts to must be able to come. A missing or malformed score may be the one."""
    raised = {score.raises.moment for score in reading.document.scores.values() if score.raises}
    if raised or reading.is_told("scores") or _is_missing("scores", reading):
        return
    for id_, terms in reading.document.campaigns.items():
        for index, moment in enumerate(terms.moments):
            if moment == MomentKind.CHURN_RISK_RAISED:
                path = f"campaigns.{id_}.moments[{index}]"
                yield problem(path, "a moment that one of the scores raises (scores.NAME.raises)", moment)


def _single_member_groups(reading: Reading) -> Iterator[str]:
    """A group with one campaign excludes nothing: most often its name is misspelt."""
    written = entries_of(reading.written, "campaigns")
    unknown = (f"campaigns.{id_}" in reading.mistakes for id_ in written)
    if any(unknown) or any(reading.is_told(f"campaigns.{id_}.exclusivity_group") for id_ in written):
        return  # such a campaign may be a member of any group
    sizes = Counter(terms.get("exclusivity_group") for terms in written.values() if isinstance(terms, dict))
    suggested = set[str]()
    for id_, terms in reading.document.campaigns.items():
        group = terms.exclusivity_group
        if group and sizes[group] == 1 and group not in suggested:
            close = closest(group, {name for name in sizes if isinstance(name, str)} - {group})
            suggested |= {close} if close else set()
            suggestion = f" ({close}?)" if close else ""
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


def _channels(reading: Reading) -> Iterator[str]:
    """The rules of a channel must be of use: a placement delivers by it."""
    known = {placement.channel for placement in reading.document.placements.values()}
    unknown = reading.is_told("placements") or _is_missing("placements", reading)
    for id_, channel in reading.document.channels.items():
        yield from _quiet(f"channels.{id_}", channel.quiet_hours)
        if id_ not in known and not unknown:
            suggestion = guess(id_, known)
            yield problem(f"channels.{id_}", f"the channel of a placement{suggestion}", id_)


def _is_missing(section: str, reading: Reading) -> bool:
    """True if an entry of a section is named that is missing."""
    return any(place.section == section for place in dangling(reading))


def _quiet(path: str, quiet: QuietHours | None) -> Iterator[str]:
    if quiet and quiet.start == quiet.end:
        yield problem(f"{path}.quiet_hours.end", f"another time than start ({quiet.start})", quiet.end)


def _moments(path: str, selectors: tuple[str, ...], reading: Reading) -> Iterator[str]:
    selected = [parse_selector(selector) for selector in selectors]
    if not selected:
        yield problem(path, "at least one moment", [])
    for index, (kind, days) in enumerate(selected):
        place, found = f"{path}[{index}]", selectors[index]
        if (kind, days) in selected[:index] or (days is not None and (kind, None) in selected):
            yield problem(place, "each moment once", found)
        if kind not in MILESTONES or reading.is_told("milestones"):
            continue
        offsets = reading.document.milestones.get(kind, ())
        if days is not None and days not in offsets:
            yield problem(place, f"one of milestones.{kind} ({', '.join(map(str, offsets)) or 'none'})", found)
        if days is None and not offsets:
            yield problem(place, f"a milestone with days in milestones.{kind}", found)
