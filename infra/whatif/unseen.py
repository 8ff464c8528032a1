"""The campaigns of the catalog after that a history cannot show, or not in full, with the reason."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from datetime import datetime

from infra.whatif.side import Side
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Campaign, Catalog
from shared.decisioning.document.schema import CampaignTerms
from shared.decisioning.document.vocabulary import parse_selector
from shared.decisioning.losses import LossReason
from shared.domain.moments import MomentKind, MomentSelector
from shared.domain.tallies import ISSUED

NO_MOMENT = "no_moment"
"""None of the campaign's moments occurs."""
SCHEDULE = "schedule"
"""Its moments occur before `starts_at` or from `ends_at` on only."""
FEEDBACK = "feedback"
"""It asks for feedback, by a rule or a moment that follows, to triggers to which the history has no feedback."""
NEW_MILESTONE = "new_milestone"
"""It waits for a time that is new at the switch: users are woken for it only after they did something."""
OUTSIDE_SCHEDULE = {LossReason.NOT_STARTED, LossReason.ENDED}


Reasons = Mapping[str, frozenset[str | None]]
"""For each campaign that was considered, the reasons for which it lost; None if it did not."""


def unseen(
    before: Catalog, after: Catalog, reasons: Reasons, appearing: Set[str], *, is_switch: bool
) -> Iterator[tuple[str, str]]:
    """Each such live campaign with the reason. `appearing` are the campaigns that issue triggers which are new.

    `is_switch` tells that the catalog after replaced the one before in the midst of the history.
    """
    new_milestones = _new_milestones(before, after) if is_switch else set()
    for id_, terms in sorted(after.document.campaigns.items()):
        if terms.state != "live":
            continue
        if not appearing.isdisjoint(_followed(terms)):
            yield id_, FEEDBACK
        elif id_ not in reasons:
            yield id_, NO_MOMENT
        elif reasons[id_] <= OUTSIDE_SCHEDULE:
            yield id_, SCHEDULE
        elif id_ in new_milestones:
            yield id_, NEW_MILESTONE
        elif id_ in appearing and (_asks_feedback(terms) or _asks_offers(after.campaigns[id_])):
            yield id_, FEEDBACK


def reasons_of(side: Side, since: datetime | None) -> Reasons:
    """The reasons in the decisions since then (UTC); in all of them if it is None."""
    reasons: defaultdict[str, set[str | None]] = defaultdict(set)
    for decision in side.messages(Topic.DECISION):
        if since is None or datetime.fromisoformat(decision["decided_at"]) >= since:
            for candidate in decision["candidates"]:
                reasons[candidate["campaign_id"]].add(candidate["reason"])
    return {id_: frozenset(each) for id_, each in reasons.items()}


def _new_milestones(before: Catalog, after: Catalog) -> set[str]:
    """The campaigns that react to a milestone or a missing answer at an offset that the catalog before lacks."""
    old, new = before.milestones, after.milestones
    added = {MomentSelector(kind, offset) for kind, offsets in new.items() for offset in {*offsets} - {*old[kind]}}
    listeners = after.listeners
    waits = {selector for selector in listeners if selector.kind is MomentKind.FEEDBACK_ABSENT}
    added |= waits - before.listeners.keys()
    return {campaign.id for selector in added for campaign in listeners.get(selector, ())}


def _followed(terms: CampaignTerms) -> Iterator[str]:
    """The campaigns whose triggers the campaign follows."""
    return filter(None, (parse_selector(selector).campaign for selector in terms.moments))


def _asks_offers(campaign: Campaign) -> bool:
    """True if the campaign's audience asks about offers, and so perhaps about the users' feedback to them."""
    return campaign.audience is not None and bool(campaign.audience.offers)


def _asks_feedback(terms: CampaignTerms) -> bool:
    """True if a rule of the campaign depends on the users' feedback."""
    events = {*terms.cool_down_hours, *(cap.event for cap in terms.cap)} - {ISSUED}
    return bool(terms.suppress_on or events)
