"""Campaigns' funnels on a terminal and in HTML."""

from typing import Any

import pytest
from rich.console import Console

from infra.html_page import document
from infra.inspect import funnel_html
from infra.inspect.funnel import CampaignFunnel, Counts, VariantFunnel
from infra.inspect.funnel_page import NOTHING, in_cell, page
from infra.inspect.funnel_table import table_of

SPLIT = CampaignFunnel(
    "win_back",
    Counts(considered=10, lost={"audience": 3, "holdout": 1}, issued=6, seen=3, revoked={"moment": 2}),
    (
        VariantFunnel("price", "high", Counts(considered=4, issued=4, seen=1)),
        VariantFunnel("price", "low", Counts(considered=3, lost={"holdout": 1}, issued=2, seen=2)),
    ),
    held_out=Counts(considered=2, lost={"audience": 1, "holdout": 1}),
    treated=Counts(considered=8, lost={"audience": 2}, issued=6, seen=3, revoked={"moment": 2}),
)
IDLE = CampaignFunnel("idle", Counts(), (), None, None)


def on_paper(*campaigns: CampaignFunnel, width: int = 80) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(page(campaigns))
    return captured.get()


def test_variants_and_the_held_out_stand_beside_each_other_with_their_shares() -> None:
    found = table_of(SPLIT)
    assert found.columns == ("all", "high", "low", "not held out", "held out")
    rows = {row.name: row for row in found.rows}
    assert list(rows) == ["considered", "lost", "audience", "holdout", "issued", "seen", "revoked", "moment"]
    assert rows["issued"].numbers == (6, 4, 2, 6, 0)
    assert rows["issued"].shares == (0.6, 1.0, 2 / 3, 0.75, 0.0)
    assert rows["seen"].shares == (0.5, 0.25, 1.0, 0.5, None), "of the triggers issued"
    assert rows["holdout"].numbers == (1, 0, 1, 0, 1)


def test_the_page_fits_a_terminal_and_names_what_was_never_considered() -> None:
    lines = on_paper(SPLIT, IDLE).splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "win_back, in experiment price" in text
    assert "Never considered, since none of their moments occurred: idle." in text
    assert "all high low not held out held out" in text


def test_many_variants_come_in_several_tables_and_the_held_out_stay_beside_the_others() -> None:
    variants = tuple(VariantFunnel("price", f"arm{number}", Counts(considered=1)) for number in range(6))
    text = " ".join(on_paper(_with(variants)).split())
    assert "all arm0 arm1 arm2 arm3 " in text
    assert "all arm4 arm5 " in text
    assert "all not held out held out " in text


def _with(variants: tuple[VariantFunnel, ...]) -> CampaignFunnel:
    return CampaignFunnel("win_back", SPLIT.counts, variants, SPLIT.held_out, SPLIT.treated)


@pytest.mark.parametrize(
    ("number", "share", "text"),
    [(1200, None, "1,200"), (3, 0.001, "3 (<1%)"), (0, 0.0, "0 (0%)"), (2, 1.0, "2 (100%)")],
)
def test_a_small_share_is_not_told_as_none(number: int, share: float | None, text: str) -> None:
    assert in_cell(number, share) == text


def test_nothing_is_a_sentence() -> None:
    assert on_paper().strip() == NOTHING
    assert NOTHING in "".join(funnel_html.sections([]))


@pytest.mark.parametrize("markup", ["<script>alert(1)</script>", "[bold]loud[/bold]", "[/]"])
def test_markup_in_names_is_text(markup: str) -> None:
    counts: Any = Counts(considered=1, lost={markup: 1})
    campaign = CampaignFunnel(markup, counts, (VariantFunnel(markup, markup, counts),), counts, counts)
    idle = CampaignFunnel(markup, Counts(), (), None, None)
    assert markup in on_paper(campaign, idle, width=400)
    assert "<script" not in document("t", funnel_html.sections([campaign, idle]))
