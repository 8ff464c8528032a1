"""The what-if study: compares two replays of one history and explains every trigger that differs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import NamedTuple

from infra.whatif.catalog_replay import CatalogReplay
from infra.whatif.experiments import experiment_studies
from infra.whatif.result import BeforeAfter, CampaignEffect, Cause, Effect, Example, PlacementEffect, WhatIf
from infra.whatif.triggers import CandidateOutcome, IssuedTrigger, IssuedTriggers, candidate_outcomes
from infra.whatif.unseen import unseen
from infra.whatif.wording import differences, without_instants

NEW_CAMPAIGN = "new_campaign"
"""Reason of a trigger that appears: the catalog before does not have the campaign."""
REMOVED_CAMPAIGN = "removed_campaign"
"""Reason of a trigger that vanishes: the catalog after does not have the campaign."""
NOT_CONSIDERED = "not_considered"
"""Reason if the other catalog has the campaign, but it does not react to the moment or the moment never occurs."""


class DifferingTrigger(NamedTuple):
    """A trigger that differs between the replays, with the reason."""

    trigger_id: str
    issued: IssuedTrigger
    exact: CandidateOutcome
    """The reason with all its details."""
    general: CandidateOutcome
    """The reason without specific values, by which triggers are grouped."""


def what_if(
    before: CatalogReplay, after: CatalogReplay, examples: int, switch_at: datetime | None = None
) -> WhatIf:
    """Compare two replays of one history, with at most `examples` examples per effect.

    Both have the catalog before until `switch_at`; without it, each has its own from the beginning. Memory use
    grows with the number of users and triggers, not with the number of decisions.
    """
    old, new = IssuedTriggers(before.folder), IssuedTriggers(after.folder)
    appear = _grouped(_only_in(new, old, before, NEW_CAMPAIGN))
    vanish = _grouped(_only_in(old, new, after, REMOVED_CAMPAIGN))
    change = _grouped(_changed(old, new))
    was, is_ = old.by_campaign(), new.by_campaign()
    campaigns = {
        id_: _campaign(BeforeAfter(was[id_], is_[id_]), [kind[id_] for kind in (appear, vanish, change)], examples)
        for id_ in {*before.campaigns, *after.campaigns, *was, *is_}
    }
    return WhatIf(
        issued=BeforeAfter(len(old.triggers), len(new.triggers)),
        users=BeforeAfter(old.users, new.users),
        revoked=BeforeAfter(before.summary.triggers_revoked, after.summary.triggers_revoked),
        dead_lettered=BeforeAfter(before.summary.dead_lettered, after.summary.dead_lettered),
        placements=_placements(old, new),
        campaigns=dict(sorted(campaigns.items(), key=lambda item: (-item[1].size, item[0]))),
        switch_at=switch_at,
        experiments=dict(experiment_studies(before, after, switch_at)),
        unseen=dict(unseen(before, after, {id_ for id_, group in appear.items() if group}, switch_at)),
    )


def _only_in(
    issuer: IssuedTriggers, other: IssuedTriggers, other_replay: CatalogReplay, no_campaign: str
) -> Iterator[DifferingTrigger]:
    """The triggers that only `issuer` has, each with its candidate's outcome in the other replay."""
    only = {id_: trigger for id_, trigger in issuer.triggers.items() if id_ not in other.triggers}
    outcomes = candidate_outcomes(other_replay.folder, {trigger.key for trigger in only.values()})
    for id_, trigger in only.items():
        has_campaign = trigger.key.campaign_id in other_replay.campaigns
        missing = CandidateOutcome(NOT_CONSIDERED if has_campaign else no_campaign, None)
        exact = outcomes.get(trigger.key, missing)
        yield DifferingTrigger(id_, trigger, exact, CandidateOutcome(exact.reason, without_instants(exact.detail)))


def _changed(old: IssuedTriggers, new: IssuedTriggers) -> Iterator[DifferingTrigger]:
    """The triggers that both replays issued, but with different fields or a different revocation."""
    for id_, was in old.triggers.items():
        is_ = new.triggers.get(id_)
        revoked = id_ in old.revoked, id_ in new.revoked
        if is_ is None or (was.facts_json == is_.facts_json and revoked[0] == revoked[1]):
            continue
        different = [*differences(was.facts | {"revoked": revoked[0]}, is_.facts | {"revoked": revoked[1]})]
        names = ", ".join(difference.name for difference in different)
        exact = "; ".join(difference.exact for difference in different)
        general = "; ".join(difference.general for difference in different)
        yield DifferingTrigger(id_, was, CandidateOutcome(names, exact), CandidateOutcome(names, general))


def _grouped(triggers: Iterable[DifferingTrigger]) -> defaultdict[str, list[DifferingTrigger]]:
    groups: defaultdict[str, list[DifferingTrigger]] = defaultdict(list)
    for trigger in triggers:
        groups[trigger.issued.key.campaign_id].append(trigger)
    return groups


def _campaign(issued: BeforeAfter, groups: Sequence[list[DifferingTrigger]], examples: int) -> CampaignEffect:
    users = {trigger.issued.key.user_id for group in groups for trigger in group}
    return CampaignEffect(issued, len(users), *(_effect(group, examples) for group in groups))


def _effect(group: list[DifferingTrigger], examples: int) -> Effect:
    causes = Counter(trigger.general for trigger in group)
    most_first = sorted(causes.items(), key=lambda item: (-item[1], item[0].reason, item[0].detail or ""))
    return Effect(
        triggers=len(group),
        users=len({trigger.issued.key.user_id for trigger in group}),
        causes=tuple(Cause(*cause, triggers) for cause, triggers in most_first),
        examples=tuple(map(_example, nsmallest(examples, group, key=lambda trigger: trigger.issued.order))),
    )


def _example(differing: DifferingTrigger) -> Example:
    key, decided_at = differing.issued.key, differing.issued.decided_at
    return Example(differing.trigger_id, key.user_id, decided_at, key.moment, *differing.exact)


def _placements(old: IssuedTriggers, new: IssuedTriggers) -> dict[str, PlacementEffect]:
    was, is_ = old.by_placement(), new.by_placement()
    return {
        name: PlacementEffect(*(BeforeAfter(*counts) for counts in zip(was[name], is_[name], strict=True)))
        for name in sorted({*was, *is_})
    }
