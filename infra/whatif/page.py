"""What would have been, as a product manager reads it: it fits 80 columns and needs no colour."""

from collections.abc import Iterator, Mapping

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.terminal import wording
from infra.whatif.result import BeforeAfter, CampaignEffect, Cause, Effect, Example, WhatIf
from infra.whatif.study import NEW_CAMPAIGN, NOT_CONSIDERED, REMOVED_CAMPAIGN

CAUSES = 4
"""How many causes of an effect are named; the others are counted."""
IN_WORDS = {
    NEW_CAMPAIGN: "the campaign is new",
    REMOVED_CAMPAIGN: "the campaign is gone",
    NOT_CONSIDERED: "it does not listen to that, or that does not come",
}
INDENT = (0, 0, 0, 2)


def page(study: WhatIf) -> Group:
    """The totals, the campaigns, and why each trigger is not the same."""
    parts: list[RenderableType] = [_totals(study), Text()]
    touched = {id_: effect for id_, effect in study.campaigns.items() if effect.size}
    if not touched:
        return Group(*parts, Text("Every trigger is the same."))
    parts += [_campaigns(touched)]
    if same := len(study.campaigns) - len(touched):
        parts += [Text(f"{_counted(same, 'other campaign')}: every trigger is the same")]
    for id_, effect in touched.items():
        parts += [Text(), Text(id_, style="bold"), *_why(effect)]
    return Group(*parts)


def _totals(study: WhatIf) -> Table:
    table = _table("", "before", "after", "")
    _count(table, "triggers issued", study.issued)
    for name, effect in study.placements.items():
        _count(table, f"  {name}", effect.issued)
    _count(table, "users reached", study.users)
    for name, effect in study.placements.items():
        _count(table, f"  {name}", effect.users)
    _count(table, "triggers withdrawn", study.revoked)
    if study.dead_lettered.before != study.dead_lettered.after:
        _count(table, "events refused", study.dead_lettered)
    return table


def _count(table: Table, name: str, it: BeforeAfter) -> None:
    difference = it.after - it.before
    table.add_row(name, f"{it.before:,}", f"{it.after:,}", f"{difference:+,}" if difference else "")


def _campaigns(effects: Mapping[str, CampaignEffect]) -> Table:
    table = _table("campaign", "before", "after", "appear", "vanish", "change", "users")
    for id_, it in effects.items():
        counts = (it.issued.before, it.issued.after, it.appear.triggers, it.vanish.triggers, it.change.triggers)
        table.add_row(id_, *(f"{count:,}" for count in (*counts, it.users)))
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _why(it: CampaignEffect) -> Iterator[RenderableType]:
    for effect, verb, said in (
        (it.appear, "appear", " The catalog before says:"),
        (it.vanish, "vanish", " The catalog after says:"),
        (it.change, "change", ""),
    ):
        if effect.triggers:
            title = f"{effect.triggers:,} {verb}, for {_counted(effect.users, 'user')}.{said}"
            yield Padding(_effect(title, effect), INDENT, expand=False)


def _effect(title: str, effect: Effect) -> Group:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for cause in effect.causes[:CAUSES]:
        grid.add_row(f"{cause.triggers:,}", Text(_of_answer(cause)))
    if others := effect.causes[CAUSES:]:
        grid.add_row(f"{sum(cause.triggers for cause in others):,}", "for other reasons")
    for example in effect.examples:
        told = f"{example.user_id} {wording.of_value(example.decided_at)} {example.moment}: {_of_answer(example)}"
        grid.add_row("e.g.", Text(told, style="dim"))
    return Group(Text(title), grid)


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _of_answer(it: Cause | Example) -> str:
    reason = IN_WORDS.get(it.reason, it.reason)
    return f"{reason} ({it.detail})" if it.detail else reason
