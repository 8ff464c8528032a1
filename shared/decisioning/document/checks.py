"""Checks across the parts of a catalog: dangling references, duplicates, and settings without effect."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from shared.decisioning.document.audience_checks import audience_problems
from shared.decisioning.document.dangling import dangling, dangling_problems
from shared.decisioning.document.experiment_checks import (
    duplicate_problems,
    experiment_problems,
    holdout_problems,
    problems_between,
    window_problems,
)
from shared.decisioning.document.follow_up_checks import follow_up_problems
from shared.decisioning.document.milestone_offsets import MAX_OFFSETS, milestone_offsets
from shared.decisioning.document.problems import closest, guess, problem
from shared.decisioning.document.quiet_rules import quiet_rules
from shared.decisioning.document.reading import Reading
from shared.decisioning.document.references import entries_of
from shared.decisioning.document.schema import (
    ByScore,
    CampaignTerms,
    Cap,
    CatalogDocument,
    ChannelCap,
    QuietHours,
    Suppression,
)
from shared.decisioning.document.vocabulary import parse_selector
from shared.decisioning.quiet import ever_open
from shared.domain.moments import MomentKind
from shared.domain.offsets import offset_text


def inconsistencies(reading: Reading) -> Iterator[str]:
    """Every problem across the parts of a catalog.

    A reference to a malformed entry is valid here, and a malformed campaign is a member of its group, because one
    mistake is told once.
    """
    document = reading.document
    for kind, offsets in document.milestones.items():
        yield from duplicate_problems(f"milestones.{kind}", map(offset_text, offsets), "", "each offset once")
    for milestone, all_offsets in milestone_offsets(document).items():
        if len(all_offsets) > MAX_OFFSETS:
            expected = f"at most {MAX_OFFSETS} offsets, with those that campaigns name"
            yield problem(f"milestones.{milestone}", expected, len(all_offsets))
    yield from dangling_problems(reading)
    yield from audience_problems(document)
    for id_, terms in document.campaigns.items():
        path = f"campaigns.{id_}"
        yield from window_problems(path, "starts_at", terms.starts_at, "ends_at", terms.ends_at)
        yield from _caps(f"{path}.cap", terms.cap)
        yield from _moments(f"{path}.moments", terms.moments, reading)
        yield from _suppressions(f"{path}.suppress_on", terms.suppress_on)
        yield from _quiet(path, terms.quiet_hours)
        yield from _never_open(path, terms, document)
        if terms.require_score and not isinstance(terms.rank, ByScore):
            yield problem(f"{path}.require_score", "false, as no score ranks the campaign", found=True)
    yield from _channels(reading)
    for id_, experiment in document.experiments.items():
        yield from experiment_problems(f"experiments.{id_}", experiment)
    yield from _single_member_groups(reading)
    yield from problems_between(document)
    yield from holdout_problems(document)
    yield from follow_up_problems(document)
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
    yield from _windows(path, caps)
    repeated = [index for index, cap in enumerate(caps) if any(map(_same_window(cap), caps[:index]))]
    for index in repeated:
        name = "calendar_days" if caps[index].calendar_days else "window_days"
        yield problem(f"{path}[{index}].{name}", "each window once", getattr(caps[index], name))
    for index, cap in enumerate(caps if not repeated else ()):
        for other in caps:
            if _same_count(cap, other) and _is_longer(other, cap) and other.max <= cap.max:
                expected = (
                    f"less than the {other.max} of the longer window ({_window(other)}), which it can never exceed"
                )
                yield problem(f"{path}[{index}].max", expected, cap.max)


def _windows(path: str, caps: Sequence[ChannelCap]) -> Iterator[str]:
    """A cap has one window."""
    for index, cap in enumerate(caps):
        if cap.window_days and cap.calendar_days:
            yield problem(
                f"{path}[{index}].calendar_days", "no calendar_days beside window_days", cap.calendar_days
            )


def _same_window(cap: Cap) -> Callable[[Cap], bool]:
    """A test for caps that count the same events in the same window."""
    window = cap.window_days, cap.calendar_days
    return lambda other: _same_count(cap, other) and (other.window_days, other.calendar_days) == window


def _same_count(cap: Cap, other: Cap) -> bool:
    return (other.scope, other.event) == (cap.scope, cap.event)


def _window(cap: Cap) -> str:
    if cap.calendar_days:
        return f"{cap.calendar_days} calendar days"
    return f"{cap.window_days} days" if cap.window_days else "ever"


def _suppressions(path: str, rules: tuple[Suppression, ...]) -> Iterator[str]:
    """Two rules about the same feedback are a mistake: the longer one already covers the shorter one."""
    about = [(rule.scope, rule.event) for rule in rules]
    for index, rule in enumerate(rules):
        if about[index] in about[:index]:
            yield problem(f"{path}[{index}].event", f"each event once for the {rule.scope}", rule.event)


def _is_longer(cap: Cap, other: Cap) -> bool:
    """True if the window of a cap is longer than that of another, as far as both are of one kind."""
    if not (cap.window_days or cap.calendar_days):
        return bool(other.window_days or other.calendar_days)
    if cap.calendar_days and other.calendar_days:
        return cap.calendar_days > other.calendar_days
    return bool(cap.window_days and other.window_days and cap.window_days > other.window_days)


def _channels(reading: Reading) -> Iterator[str]:
    """The rules of a channel must be of use: a placement delivers by it."""
    known = {placement.channel for placement in reading.document.placements.values()}
    unknown = reading.is_told("placements") or _is_missing("placements", reading)
    for id_, channel in reading.document.channels.items():
        yield from _quiet(f"channels.{id_}", channel.quiet_hours)
        yield from _windows(f"channels.{id_}.cap", channel.cap)
        if id_ not in known and not unknown:
            suggestion = guess(id_, known)
            yield problem(f"channels.{id_}", f"the channel of a placement{suggestion}", id_)


def _is_missing(section: str, reading: Reading) -> bool:
    """True if an entry of a section is named that is missing."""
    return any(place.section == section for place in dangling(reading))


def _quiet(path: str, quiet: QuietHours | None) -> Iterator[str]:
    if quiet and quiet.start == quiet.end:
        yield problem(f"{path}.quiet_hours.end", f"another time than start ({quiet.start})", quiet.end)


def _never_open(path: str, terms: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """The days and hours of a campaign and its channel must let something through at some time of a week."""
    rules = quiet_rules(document, terms)
    if not ever_open(rules) and not any(rule.hours and rule.hours[0] == rule.hours[1] for rule in rules):
        channel = document.placements[terms.placement].channel
        field = "days" if terms.days else "quiet_hours"
        found = terms.model_dump(include={"quiet_hours", "days"}, exclude_defaults=True)
        yield problem(f"{path}.{field}", f"an hour of the week that channel {channel} leaves open as well", found)


def _moments(path: str, selectors: tuple[str, ...], reading: Reading) -> Iterator[str]:
    selected = [parse_selector(selector) for selector in selectors]
    if not selected:
        yield problem(path, "at least one moment", [])
    for index, selector in enumerate(selected):
        place, found, kind = f"{path}[{index}]", selectors[index], selector.kind
        of_map = reading.document.milestones.get(kind, ())
        every = selector._replace(offset=None)
        if selector in selected[:index] or (selector.offset in of_map and every.is_of_map and every in selected):
            yield problem(place, "each moment once", found)
        if selector.is_of_map and not (of_map or reading.is_told("milestones")):
            yield problem(place, f"{kind} with an offset ({kind}@3d), or offsets in milestones.{kind}", found)
