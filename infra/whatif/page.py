"""The terminal page of a what-if study, for a product manager: fits 80 columns and needs no colour."""

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.terminal import wording
from infra.whatif.result import BeforeAfter, CampaignEffect, Cause, Effect, Example, WhatIf
from infra.whatif.study import NEW_CAMPAIGN, NOT_CONSIDERED, REMOVED_CAMPAIGN
from infra.whatif.users_page import counted, experiments, unseen

CAUSES = 4
"""Causes of an effect that are listed; the others are only counted."""
REASON_TEXTS = {
    NEW_CAMPAIGN: "the campaign is new",
    REMOVED_CAMPAIGN: "the campaign was removed",
    NOT_CONSIDERED: "the campaign does not react to the moment, or the moment does not occur",
}
INDENT = (0, 0, 0, 2)


def page(study: WhatIf) -> Group:
    """The totals, the campaigns, and the reasons for every trigger that differs."""
    parts: list[RenderableType] = [_totals(study), Text(), *experiments(study), *unseen(study)]
    changed = {id_: effect for id_, effect in study.campaigns.items() if effect.size}
    if not changed:
        return Group(*parts, Text("Every trigger is the same."))
    parts += [_campaigns(changed)]
    if same := len(study.campaigns) - len(changed):
        parts += [Text(f"{counted(same, 'other campaign')}: every trigger is the same")]
    for id_, effect in changed.items():
        parts += [Text(), Text(id_, style="bold"), *_effects(effect)]
    return Group(*parts)


def _totals(study: WhatIf) -> Table:
    table = _table("", "before", "after", "")
    _count(table, "triggers issued", study.issued)
    for name, effect in study.placements.items():
        _count(table, f"  {name}", effect.issued)
    _count(table, "users reached", study.users)
    for name, effect in study.placements.items():
        _count(table, f"  {name}", effect.users)
    _count(table, "triggers revoked", study.revoked)
    if study.dead_lettered.before != study.dead_lettered.after:
        _count(table, "dead letters", study.dead_lettered)
    return table


def _count(table: Table, name: str, counts: BeforeAfter) -> None:
    difference = counts.after - counts.before
    table.add_row(name, f"{counts.before:,}", f"{counts.after:,}", f"{difference:+,}" if difference else "")


def _campaigns(effects: Mapping[str, CampaignEffect]) -> Table:
    table = _table("campaign", "before", "after", "appear", "vanish", "change", "users")
    for id_, effect in effects.items():
        kinds = (effect.appear.triggers, effect.vanish.triggers, effect.change.triggers)
        counts = (effect.issued.before, effect.issued.after, *kinds, effect.users)
        table.add_row(id_, *(f"{count:,}" for count in counts))
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _effects(campaign: CampaignEffect) -> Iterator[RenderableType]:
    for effect, verb, heading in (
        (campaign.appear, "appear", " Reason in the catalog before:"),
        (campaign.vanish, "vanish", " Reason in the catalog after:"),
        (campaign.change, "change", " What differs:"),
    ):
        if effect.triggers:
            title = f"{effect.triggers:,} {verb}, for {counted(effect.users, 'user')}.{heading}"
            yield Padding(_effect(title, effect), INDENT, expand=False)


def _effect(title: str, effect: Effect) -> Group:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for cause in effect.causes[:CAUSES]:
        grid.add_row(f"{cause.triggers:,}", Text(reason_of(cause)))
    if others := effect.causes[CAUSES:]:
        grid.add_row(f"{sum(cause.triggers for cause in others):,}", "for other reasons")
    for example in effect.examples:
        line = f"{example.user_id} {wording.of_value(example.decided_at)} {example.moment}: {reason_of(example)}"
        grid.add_row("e.g.", Text(line, style="dim"))
    return Group(Text(title), grid)


def reason_of(source: Cause | Example) -> str:
    """The reason of a difference, in words."""
    reason = REASON_TEXTS.get(source.reason, source.reason)
    return f"{reason} ({source.detail})" if source.detail else reason
