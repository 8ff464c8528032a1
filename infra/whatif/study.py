"""What would have been: one history decided by two catalogs, and every trigger that is not the same in both."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import NamedTuple

from infra.replay.replay import Summary
from infra.whatif.result import BeforeAfter, CampaignEffect, Cause, Effect, Example, PlacementEffect, WhatIf
from infra.whatif.triggers import Answer, IssuedTrigger, IssuedTriggers, answers
from infra.whatif.wording import differences, in_general

NEW_CAMPAIGN = "new_campaign"
"""Why a trigger appears: the catalog before has no such campaign."""
REMOVED_CAMPAIGN = "removed_campaign"
"""Why a trigger vanishes: the catalog after has no such campaign."""
NOT_CONSIDERED = "not_considered"
"""The other catalog's campaign does not listen to that moment, or that moment does not come."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two catalogs, by its campaigns, and the replay that was decided by it."""

    folder: Path
    summary: Summary
    campaigns: Collection[str]


class Judged(NamedTuple):
    """A trigger that is not the same, and why."""

    trigger_id: str
    offered: IssuedTrigger
    answer: Answer
    """With all its details."""
    cause: Answer
    """What it has in common with others."""


def what_if(before: Side, after: Side, examples: int) -> WhatIf:
    """Compare two replays of one history. Holds their triggers in memory, and of their decisions nothing else."""
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
    )


def _only_in(these: IssuedTriggers, those: IssuedTriggers, silent: Side, no_campaign: str) -> Iterator[Judged]:
    """The triggers that only one replay issued, and what the catalog of the other says of each."""
    only = {id_: it for id_, it in these.triggers.items() if id_ not in those.triggers}
    said = answers(silent.folder, {it.key for it in only.values()})
    for id_, it in only.items():
        known = it.key.campaign_id in silent.campaigns
        answer = said.get(it.key, Answer(NOT_CONSIDERED if known else no_campaign, None))
        yield Judged(id_, it, answer, Answer(answer.reason, in_general(answer.detail)))


def _changed(old: IssuedTriggers, new: IssuedTriggers) -> Iterator[Judged]:
    """The triggers that both replays issued, but not alike."""
    for id_, was in old.triggers.items():
        is_ = new.triggers.get(id_)
        revoked = id_ in old.revoked, id_ in new.revoked
        if is_ is None or (was.facts_json == is_.facts_json and revoked[0] == revoked[1]):
            continue
        different = [*differences(was.facts | {"revoked": revoked[0]}, is_.facts | {"revoked": revoked[1]})]
        names = ", ".join(each.name for each in different)
        exactly = "; ".join(each.exactly for each in different)
        common = "; ".join(each.in_general for each in different)
        yield Judged(id_, was, Answer(names, exactly), Answer(names, common))


def _grouped(judged: Iterable[Judged]) -> defaultdict[str, list[Judged]]:
    groups: defaultdict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[each.offered.key.campaign_id].append(each)
    return groups


def _campaign(issued: BeforeAfter, groups: Sequence[list[Judged]], examples: int) -> CampaignEffect:
    users = {each.offered.key.user_id for group in groups for each in group}
    return CampaignEffect(issued, len(users), *(_effect(group, examples) for group in groups))


def _effect(group: list[Judged], examples: int) -> Effect:
    causes = Counter(each.cause for each in group)
    most_first = sorted(causes.items(), key=lambda item: (-item[1], item[0].reason, item[0].detail or ""))
    return Effect(
        triggers=len(group),
        users=len({each.offered.key.user_id for each in group}),
        causes=tuple(Cause(*cause, triggers) for cause, triggers in most_first),
        examples=tuple(map(_example, nsmallest(examples, group, key=lambda each: each.offered.order))),
    )


def _example(judged: Judged) -> Example:
    key = judged.offered.key
    return Example(judged.trigger_id, key.user_id, judged.offered.decided_at, key.moment, *judged.answer)


def _placements(old: IssuedTriggers, new: IssuedTriggers) -> dict[str, PlacementEffect]:
    was, is_ = old.by_placement(), new.by_placement()
    return {
        name: PlacementEffect(*(BeforeAfter(*counts) for counts in zip(was[name], is_[name], strict=True)))
        for name in sorted({*was, *is_})
    }
