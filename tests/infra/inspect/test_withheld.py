"""Offers that were withheld, on the pages of `show` and `explain`."""

from typing import Any

import pytest
from rich.console import Console, RenderableType

from infra.inspect import decision_page, timeline
from infra.inspect.timeline import EntryKind
from shared.contracts.topics import Topic
from shared.decisioning.compile import compile_catalog
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.queries.explanation import recorded
from shared.queries.life import life
from shared.queries.user_view import summary
from shared.record.user_record import UserRecord
from tests.support.histories import USER
from tests.support.pages import page_of
from tests.support.story import TERMS, day, paid

HELD_OUT = {"holdouts": {"all": {"percent": 100}}}
ARM_OF_NOTHING = {
    "experiments": {
        "x": {"variants": [{"id": "none", "offer": None, "weight": 1.0}, {"id": "b", "offer": "o", "weight": 0.0}]}
    }
}


def lived(sections: dict[str, Any]) -> UserRecord:
    """A user who paid once and was offered one thing, from which something kept them."""
    campaign = {"offer": "o", "placement": "p", "moments": ["activated"], "priority": 1}
    if "experiments" in sections:
        campaign["experiment"] = "x"
    catalog = {
        "placements": {"p": {"channel": "in_app"}},
        "offers": {"o": {"cms_ref": "o", "validity_hours": 48}},
        "campaigns": {"c": campaign},
    }
    return process(UserRecord(USER), paid(0), day(0), Rules(compile_catalog(catalog | sections), TERMS)).record


def on_paper(page: RenderableType) -> str:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(page)
    return " ".join(captured.get().split())


each_way = pytest.mark.parametrize(
    ("sections", "offer", "reason"),
    [(HELD_OUT, "o", "holdout all"), (ARM_OF_NOTHING, "nothing", "variant none")],
    ids=["by a holdout", "by a variant"],
)


@each_way
def test_show_tells_what_was_withheld_once_and_not_as_an_offer(sections: Any, offer: str, reason: str) -> None:
    page = on_paper(page_of(lived(sections), day(1), TERMS))
    assert page.count(f"withheld c: {offer} in p (activated), {reason}") == 1
    assert f"c withheld ({reason}) until 2026-01-03 00:00" in page
    assert " offer c:" not in page


def test_show_no_longer_names_the_holdout_once_the_decision_is_off_the_record() -> None:
    page = on_paper(page_of(lived(HELD_OUT)._replace(pending=()), day(1), TERMS))
    assert "withheld c: o in p (activated), holdout " in page
    assert "c withheld (holdout) until" in page


def test_show_still_names_the_variant_then() -> None:
    page = on_paper(page_of(lived(ARM_OF_NOTHING)._replace(pending=()), day(1), TERMS))
    assert "withheld c: nothing in p (activated), variant none " in page
    assert "c withheld (variant none) until" in page


@each_way
def test_explain_tells_it_in_place_of_a_gate(sections: Any, offer: str, reason: str) -> None:
    record = lived(sections)
    (decision,) = recorded(life(USER, None, record), None)
    page = on_paper(decision_page.page(summary(record, day(1), TERMS), decision, []))
    assert f"c ({offer}): withheld ({reason})" in page
    assert "stopped" not in page


@each_way
def test_a_timeline_of_messages_tells_it_too(sections: Any, offer: str, reason: str) -> None:
    (decision,) = recorded(life(USER, None, lived(sections)), None)
    (entry,) = timeline.of_message(Topic.DECISION, decision)
    assert (entry.kind, entry.text) == (EntryKind.WITHHELD, f"c: {offer} in p (activated), {reason}")


def test_a_decision_of_before_that_a_holdout_stopped_is_told_as_no_offer() -> None:
    """Its candidate was not stored, nor would it have won: another stood in its place."""
    (decision,) = recorded(life(USER, None, lived(HELD_OUT)), None)
    candidates = [{**candidate, "suppressed": False} for candidate in decision["candidates"]]
    (entry,) = timeline.of_message(Topic.DECISION, {**decision, "candidates": candidates})
    assert (entry.kind, entry.text) == (EntryKind.NO_OFFER, "c (activated): the user is held out (all)")
