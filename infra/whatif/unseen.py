"""The campaigns of the catalog after that a history cannot show, or not in full, with the reason."""

from collections import defaultdict
from collections.abc import Iterator, Set
from datetime import datetime

from infra.replay.outputs import messages
from infra.whatif.catalog_replay import CatalogReplay
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Campaign
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


def unseen(
    before: CatalogReplay, after: CatalogReplay, appearing: Set[str], switch_at: datetime | None
) -> Iterator[tuple[str, str]]:
    """Each such live campaign with the reason. `appearing` are the campaigns that issue triggers which are new."""
    reasons = _reasons(after, switch_at)
    new_milestones = _new_milestones(before, after) if switch_at else set()
    for id_, terms in sorted(after.catalog.document.campaigns.items()):
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
        elif id_ in appearing and (_asks_feedback(terms) or _asks_offers(after.catalog.campaigns[id_])):
            yield id_, FEEDBACK


def _reasons(replay: CatalogReplay, since: datetime | None) -> dict[str, set[str | None]]:
    """The reasons for which each campaign lost since then, None if it did not; without one never considered."""
    reasons: defaultdict[str, set[str | None]] = defaultdict(set)
    for decision in messages(replay.folder, Topic.DECISION):
        if since is None or datetime.fromisoformat(decision["decided_at"]) >= since:
            for candidate in decision["candidates"]:
                reasons[candidate["campaign_id"]].add(candidate["reason"])
    return reasons


def _new_milestones(before: CatalogReplay, after: CatalogReplay) -> set[str]:
    """The campaigns that react to a milestone or a missing answer at an offset that the catalog before lacks."""
    old, new = before.catalog.milestones, after.catalog.milestones
    added = {MomentSelector(kind, offset) for kind, offsets in new.items() for offset in {*offsets} - {*old[kind]}}
    listeners = after.catalog.listeners
    waits = {selector for selector in listeners if selector.kind is MomentKind.FEEDBACK_ABSENT}
    added |= waits - before.catalog.listeners.keys()
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
