"""The what-if study: compares two replays of one history and explains every trigger that differs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import NamedTuple

from infra.whatif.comparison import Comparison, causes_of
from infra.whatif.experiments import experiment_studies, experiment_users
from infra.whatif.result import BeforeAfter, CampaignEffect, Effect, Example, PlacementEffect, WhatIf
from infra.whatif.side import Side
from infra.whatif.triggers import CandidateOutcome, IssuedTrigger, IssuedTriggers, candidate_outcomes
from infra.whatif.unseen import reasons_of, unseen
from infra.whatif.wording import differences, without_instants
from shared.contracts.topics import Topic
from shared.decisioning.catalog import Catalog

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


NO_EFFECT = CampaignEffect(BeforeAfter(0, 0), 0, Effect(), Effect(), Effect())


def what_if(before: Side, after: Side, examples: int, switch_at: datetime | None = None) -> WhatIf:
    """The study of one history under two catalogs, with at most `examples` examples per effect.

    Both have the catalog before until `switch_at`; without it, each has its own from the beginning. Memory use
    grows with the number of users and triggers, not with the number of decisions.
    """
    return study_of(compare(before, after, examples, switch_at), before.catalog, after.catalog, switch_at)


def study_of(compared: Comparison, before: Catalog, after: Catalog, switch_at: datetime | None) -> WhatIf:
    """The study of all users that were compared."""
    of_none = dict.fromkeys({*before.campaigns, *after.campaigns}, NO_EFFECT)
    campaigns = {**of_none, **compared.campaigns}
    appearing = {id_ for id_, effect in campaigns.items() if effect.appear.triggers}
    return WhatIf(
        issued=compared.issued,
        users=compared.users,
        revoked=compared.revoked,
        dead_lettered=compared.dead_lettered,
        placements=dict(sorted(compared.placements.items())),
        campaigns=dict(sorted(campaigns.items(), key=lambda item: (-item[1].size, item[0]))),
        switch_at=switch_at,
        experiments=dict(experiment_studies(before, after, compared.experiments)),
        unseen=dict(unseen(before, after, compared.reasons, appearing, is_switch=switch_at is not None)),
    )


def compare(before: Side, after: Side, examples: int, switch_at: datetime | None = None) -> Comparison:
    """Compare what both catalogs did to the same users."""
    old, new = (IssuedTriggers(side.messages(Topic.UPSELL_TRIGGER)) for side in (before, after))
    appear = _grouped(_only_in(new, old, before, NEW_CAMPAIGN))
    vanish = _grouped(_only_in(old, new, after, REMOVED_CAMPAIGN))
    change = _grouped(_changed(old, new))
    was, is_ = old.by_campaign(), new.by_campaign()
    campaigns = {
        id_: _campaign(BeforeAfter(was[id_], is_[id_]), [kind[id_] for kind in (appear, vanish, change)], examples)
        for id_ in {*was, *is_}
    }
    return Comparison(
        events_read=after.events_read,
        issued=BeforeAfter(len(old.triggers), len(new.triggers)),
        users=BeforeAfter(old.users, new.users),
        revoked=BeforeAfter(len(old.revoked), len(new.revoked)),
        dead_lettered=BeforeAfter(before.dead_lettered, after.dead_lettered),
        placements=_placements(old, new),
        campaigns=campaigns,
        experiments=dict(experiment_users(before, after, switch_at)),
        reasons=reasons_of(after, switch_at),
    )


def _only_in(
    issuer: IssuedTriggers, other: IssuedTriggers, other_side: Side, no_campaign: str
) -> Iterator[DifferingTrigger]:
    """The triggers that only `issuer` has, each with its candidate's outcome by the other catalog."""
    only = {id_: trigger for id_, trigger in issuer.triggers.items() if id_ not in other.triggers}
    wanted = {trigger.key for trigger in only.values()}
    outcomes = candidate_outcomes(other_side.messages(Topic.DECISION), wanted) if wanted else {}
    for id_, trigger in only.items():
        has_campaign = trigger.key.campaign_id in other_side.catalog.campaigns
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
    return Effect(
        triggers=len(group),
        users=len({trigger.issued.key.user_id for trigger in group}),
        causes=causes_of(Counter(trigger.general for trigger in group)),
        examples=tuple(map(_example, nsmallest(examples, group, key=lambda trigger: trigger.issued.order))),
    )


def _example(differing: DifferingTrigger) -> Example:
    key, decided_at = differing.issued.key, differing.issued.decided_at
    return Example(differing.trigger_id, key.user_id, decided_at, key.moment, *differing.exact)


def _placements(old: IssuedTriggers, new: IssuedTriggers) -> dict[str, PlacementEffect]:
    was, is_ = old.by_placement(), new.by_placement()
    return {
        name: PlacementEffect(*(BeforeAfter(*counts) for counts in zip(was[name], is_[name], strict=True)))
        for name in {*was, *is_}
    }
