"""Warnings: what a valid catalog says and most likely does not mean. They refuse nothing.

A catalog in force must stay usable, also when one of its campaigns has ended or a country's code is wrong.
"""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product

from infra.catalog.codes import wrong_codes
from infra.catalog.contradictions import (
    Condition,
    Limits,
    conditions,
    contradiction,
    known_values,
    statuses,
)
from infra.catalog.follow_up_warnings import follow_up_warnings
from shared.decisioning.document.problems import problem
from shared.decisioning.document.quiet_rules import quiet_rules
from shared.decisioning.document.schema import CampaignTerms, Cap, CatalogDocument, Clauses
from shared.decisioning.document.vocabulary import parse_selector
from shared.decisioning.quiet import ever_open
from shared.domain.conditions import CONDITIONS
from shared.domain.milestones import OF_KIND
from shared.domain.moments import BY_TIME_ALONE, MILESTONES, MomentKind, MomentSelector, is_milestone
from shared.domain.offsets import offset_text
from shared.domain.subscription import Renewal, Said, Status, Subscription
from shared.domain.tallies import ISSUED

_TIME = re.compile(r"""\btimestamp\s*\(\s*["'](\d{4}-\d\d-\d\d[^"']*)["']\s*\)""")

FAILURE_REASON = "event.failure_reason"
OF_FAILURES = frozenset(
    {MomentKind.PAYMENT_FAILED, MomentKind.AUTO_RENEW_OFF, MomentKind.PLAN_CHANGED, MomentKind.CHURN_RISK_RAISED}
)
"""The moments that a failed payment can bring: a scheduled plan may begin with it, and a score be raised."""
_ENOUGH = 64
"""The most ways to be in an audience that are tried."""
Ways = list[list[Condition]]
"""The ways to be in an audience, each by the conditions that must hold together."""


def warnings(document: CatalogDocument, now: datetime) -> Iterator[str]:
    """Every warning about a valid catalog at an instant (UTC)."""
    most = _most_issued(document)
    for id_, terms in document.audiences.items():
        yield from _codes(f"audiences.{id_}", terms)
        yield from _times(f"audiences.{id_}", terms)
        yield from _contradictions(f"audiences.{id_}", terms, most)
    for id_ in document.placements:
        yield from _closed_fallback(id_, document)
    for id_, campaign in document.campaigns.items():
        yield from _ended(f"campaigns.{id_}", campaign, now)
        ways = _ways(campaign.audience or "", document)
        yield from _impossible_moments(f"campaigns.{id_}", campaign, ways)
        yield from _moments_without_event(f"campaigns.{id_}", campaign, ways)
        yield from _unnamed_offsets(f"campaigns.{id_}", campaign, document)
        yield from follow_up_warnings(id_, campaign, document)


def _closed_fallback(placement: str, document: CatalogDocument) -> Iterator[str]:
    """A fallback keeps the quiet hours and days of all campaigns of its placement."""
    fallback, campaigns = document.placements[placement].fallback, document.campaigns.values()
    rules = [rule for terms in campaigns if terms.placement == placement for rule in quiet_rules(document, terms)]
    if fallback and not ever_open(rules):
        expected = "campaigns whose quiet hours and days leave one hour of the week open to all of them"
        yield problem(f"placements.{placement}.fallback", expected, fallback)


def _ended(path: str, campaign: CampaignTerms, now: datetime) -> Iterator[str]:
    if campaign.ends_at and campaign.ends_at <= now and campaign.state != "archived":
        yield problem(f"{path}.ends_at", "a time to come, or state: archived", campaign.ends_at.isoformat())


def _codes(path: str, terms: Clauses) -> Iterator[str]:
    return (
        problem(place, expected, text) for place, text in _clauses(path, terms) for expected in wrong_codes(text)
    )


def _times(path: str, terms: Clauses) -> Iterator[str]:
    for place, text in _clauses(path, terms):
        for time in _TIME.findall(text):
            if not _is_time(time):
                yield problem(place, f"a time with its offset ({time[:10]}T00:00:00Z) instead of '{time}'", text)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None and "T" in text
    except ValueError:
        return False


def _clauses(path: str, terms: Clauses) -> Iterator[tuple[str, str]]:
    """Every clause of an audience, with its path."""
    for quantifier, clauses in (("all", terms.all), ("any", terms.any)):
        for index, [(name, text)] in enumerate(clause.items() for clause in clauses):
            yield f"{path}.{quantifier}[{index}].{name}", text


def _contradictions(path: str, terms: Clauses, most: Limits) -> Iterator[str]:
    for alternative in _alternatives(terms):
        if about := contradiction(alternative, most):
            last = about[-1]
            quantifier, clauses = ("all", terms.all) if terms.all else ("any", terms.any)
            place = f"{path}.{quantifier}[{last.index}].{last.clause}"
            yield problem(place, _possible(about, most), clauses[last.index][last.clause])


def _ways(audience_id: str, document: CatalogDocument) -> Ways:
    """The ways to be in an audience that is composed of others, without impossible ones; none if they are many."""
    terms = document.audiences.get(audience_id)
    if terms is None:
        return []
    parts = [_alternatives(terms)] if terms.all or terms.any else []
    parts += [_ways(member, document) for member in terms.all_of]
    any_of = [_ways(member, document) for member in terms.any_of]
    parts += [[way for ways in any_of for way in ways]] if all(any_of) else []
    known = [part for part in parts if part]
    if not known or math.prod(map(len, known)) > _ENOUGH:
        return []
    whole = [[condition for part in way for condition in part] for way in product(*known)]
    return [way for way in whole if not contradiction(way)]


def _alternatives(terms: Clauses) -> Ways:
    """The conditions that must hold together for a user of an audience: of all clauses, or of any one."""
    read = [
        conditions(index, name, text)
        for index, [(name, text)] in enumerate(clause.items() for clause in terms.all or terms.any)
    ]
    return [[condition for each in read for condition in each]] if terms.all else read


def _most_issued(document: CatalogDocument) -> Limits:
    """The most triggers that a user gets of each campaign that has a cap without a window."""
    return {
        f"offers.{id_}.{ISSUED}": min(limits)
        for id_, terms in document.campaigns.items()
        if (limits := [cap.max for cap in terms.cap if _is_for_ever(cap)])
    }


def _is_for_ever(cap: Cap) -> bool:
    return (cap.scope, cap.event) == ("campaign", ISSUED) and not (cap.window_days or cap.calendar_days)


def _possible(about: list[Condition], most: Limits) -> str:
    """The expected value in place of the last of some conditions that cannot hold together."""
    field, known = about[0].field, known_values(about[0].field, most)
    others = dict.fromkeys(condition.clause for condition in about if condition.clause != about[-1].clause)
    if others:
        return f"a clause that can be true beside {' and '.join(others)}"
    return f"a clause that can be true{f' ({field} is {known})' if known else ''}"


def _impossible_moments(path: str, campaign: CampaignTerms, ways: Ways) -> Iterator[str]:
    """Moments at which no user can be in the audience, by the statuses that the moment allows."""
    possible = set[Status]().union(*map(statuses, ways))
    for index, selector in enumerate(campaign.moments if ways else ()):
        allowed = allowed_statuses(parse_selector(selector))
        if not allowed & possible:
            needed, then = _listed(possible), _listed(allowed)
            asked = f"as in audience {campaign.audience} (it is {then} then)"
            expected = f"a moment at which the status can be {needed}, {asked}"
            yield problem(f"{path}.moments[{index}]", expected, selector)


def _unnamed_offsets(path: str, campaign: CampaignTerms, document: CatalogDocument) -> Iterator[str]:
    """Moments that may have been meant for offsets in the map, which they name only with `@`."""
    for index, selector in enumerate(campaign.moments):
        if selector in MILESTONES - BY_TIME_ALONE and (offsets := document.milestones.get(selector)):
            named = " or ".join(f"{selector}@{offset_text(offset)}" for offset in offsets)
            yield problem(f"{path}.moments[{index}]", f"{named}, or no milestones.{selector}", selector)


def _moments_without_event(path: str, campaign: CampaignTerms, ways: Ways) -> Iterator[str]:
    """Moments that no event brings that has the fact about it for which the audience asks."""
    for index, selector in enumerate(campaign.moments if ways else ()):
        moment = parse_selector(selector)
        needed = [_needed_of_event(way, moment) for way in ways]
        if all(needed):
            brought = "a failed payment" if needed[0] == FAILURE_REASON else "an event"
            expected = f"a moment that {brought} brings, as audience {campaign.audience} asks for {needed[0]}"
            yield problem(f"{path}.moments[{index}]", expected, selector)


def _needed_of_event(way: Sequence[Condition], moment: MomentSelector) -> str | None:
    """The fact about the event that a condition needs, and that is null whenever such a moment comes."""
    by_time = is_milestone(moment.kind, moment.offset) or moment.kind is MomentKind.FEEDBACK_ABSENT
    for condition in way:
        is_null = condition.field.startswith("event.") if by_time else condition.field == FAILURE_REASON
        if is_null and moment.kind not in OF_FAILURES and not condition.holds({condition.field: None}):
            return condition.field
    return None


def _listed(found: set[Status]) -> str:
    return " or ".join(status for status in Status if status in found)


def allowed_statuses(selector: MomentSelector) -> set[Status]:
    """The statuses in which a moment can be true; all of them if that depends on more than is tried here."""
    if is_milestone(selector.kind, selector.offset):
        return {*OF_KIND[selector.kind].statuses}
    condition = CONDITIONS.get(selector.kind)
    return {each.status for each in _SPECIMENS if condition and condition(each)} or set(Status)


_THEN = datetime(2000, 1, 1, tzinfo=UTC)
_SPECIMENS = [
    Subscription("", status, failed_at=failed_at, renewal=Renewal(on=on, by=Said.USER, at=_THEN))
    for status in Status
    for failed_at in (None, _THEN)
    for on in (True, False)
]
"""A subscription in every status: failing or not, renewing or not."""
