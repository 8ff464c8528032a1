"""The counter of campaigns' funnels: what it counts, in any order and however often a message comes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.inspect.funnel import Counts, Funnels

Message = tuple[str, dict[str, Any]]
OF_GIFT = {"experiment_id": "gift", "variant": "plain"}


def candidate(campaign: str = "upgrade", **fields: Any) -> dict[str, Any]:
    return {"campaign_id": campaign, "outcome": "issued", "reason": None, **fields}


def lost(reason: str, campaign: str = "upgrade", **fields: Any) -> dict[str, Any]:
    return candidate(campaign, outcome="lost", reason=reason, **fields)


def decision(id_: str, *candidates: dict[str, Any]) -> Message:
    return "decision", {"message_id": id_, "candidates": list(candidates)}


def trigger(id_: str, kind: str = "issued", **fields: Any) -> Message:
    about = {"campaign_id": "upgrade", "trigger_id": id_, "kind": kind}
    return "upsell-trigger", {"message_id": f"{id_}-{kind}", **about, **fields}


def answer(id_: str, kind: str, event: str = "e", **fields: Any) -> Message:
    about = {"campaign_id": "upgrade", "trigger_id": id_, "kind": kind}
    return "exposure", {"message_id": f"{id_}-{kind}-{event}", **about, **fields}


def catalog(published_at: str, **campaigns: dict[str, Any]) -> Message:
    return "catalog-published", {"published_at": published_at, "catalog": {"campaigns": campaigns}}


def counted(*messages: Message, remembered: int | None = None) -> Funnels:
    funnels = Funnels(remembered)
    for topic, body in messages:
        funnels.add(topic, body)
    return funnels


STORY = (
    decision("d1", candidate(**OF_GIFT), lost("cap", "other"), lost("audience", "other")),
    decision("d2", lost("holdout", holdouts=["all"], **OF_GIFT), lost("audience", "other", holdouts=["all"])),
    trigger("t1", **OF_GIFT),
    answer("t1", "delivered", **OF_GIFT),
    answer("t1", "impression", **OF_GIFT),
    answer("t1", "impression", "told later", **OF_GIFT),
    answer("t1", "converted", **OF_GIFT),
    answer("t2", "suppressed", **OF_GIFT),
    trigger("t1", "revoked", revoke_reason="moment", **OF_GIFT),
)


def test_each_stage_is_counted_by_campaign_and_variant_with_the_held_out_beside_the_treated() -> None:
    upgrade, other = counted(*STORY).campaigns()
    given = {"issued": 1, "delivered": 1, "seen": 1, "converted": 1, "revoked": {"moment": 1}}
    assert upgrade.counts == Counts(considered=2, lost={"holdout": 1}, **given)
    ((of_plain),) = upgrade.variants
    assert (of_plain.experiment_id, of_plain.variant, of_plain.counts) == ("gift", "plain", upgrade.counts)
    assert upgrade.held_out == Counts(considered=1, lost={"holdout": 1})
    assert upgrade.treated == Counts(considered=1, **given)
    assert other.counts == Counts(considered=3, lost={"audience": 2, "cap": 1})
    assert list(other.counts.lost) == ["audience", "cap"], "gates are listed in their order"


def test_a_campaign_without_holdout_has_no_split() -> None:
    (found,) = counted(decision("d", candidate())).campaigns()
    assert (found.held_out, found.treated, found.variants) == (None, None, ())


@given(st.permutations(STORY), st.lists(st.sampled_from(STORY)))
def test_order_and_redelivery_change_nothing(story: list[Message], again: list[Message]) -> None:
    assert counted(*story, *again).campaigns() == counted(*STORY).campaigns()
    assert counted(*again, *story).campaigns() == counted(*STORY).campaigns()


def test_a_live_campaign_of_the_newest_catalog_is_listed_before_it_was_ever_considered() -> None:
    newest = catalog("2026-02-01T00:00:00Z", idle={}, draft={"state": "draft"})
    (found,) = counted(newest, catalog("2026-01-01T00:00:00Z", former={})).campaigns()
    assert (found.campaign_id, found.counts) == ("idle", Counts())


@given(st.integers(1, 20), st.integers(1, 60))
def test_memory_is_bounded_and_the_newest_are_remembered(remembered: int, messages: int) -> None:
    funnels = Funnels(remembered)
    for number in range(messages):
        for again in range(max(0, number - remembered + 1), number + 1):
            funnels.add(*decision(f"d{again}", candidate()))
    (found,) = funnels.campaigns()
    assert found.counts.considered == messages
    assert len(funnels._recent._newer) + len(funnels._recent._older) <= 2 * remembered


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("decision", []),
        ("decision", {"message_id": "d"}),
        ("decision", {"message_id": "d", "candidates": [candidate(), "text"]}),
        ("decision", {"message_id": "d", "candidates": [lost("cap"), candidate(campaign=["list"])]}),
        ("decision", {"message_id": 7, "candidates": [candidate()]}),
        ("decision", {"message_id": "d", "candidates": [{"campaign_id": "c", "outcome": "lost", "reason": None}]}),
        ("decision", {"message_id": "d", "candidates": [candidate("\x1b[2J")]}),
        ("decision", {"message_id": "d", "candidates": [candidate("c" * 257)]}),
        ("upsell-trigger", {"message_id": "t", "campaign_id": "c", "kind": "shouted"}),
        ("upsell-trigger", {"message_id": "t", "campaign_id": "c", "kind": {}}),
        ("exposure", {"message_id": "e", "campaign_id": "c", "trigger_id": "t", "kind": "ignored"}),
        ("exposure", {"message_id": "e", "campaign_id": "c", "kind": "clicked"}),
        ("catalog-published", {"published_at": 3, "catalog": {"campaigns": {}}}),
        ("catalog-published", {"published_at": "", "catalog": {"campaigns": {"c": None}}}),
        ("catalog-published", {"published_at": "", "catalog": {"campaigns": {"\x1b[2J": {}}}}),
    ],
)
def test_what_is_no_message_of_the_contracts_counts_as_malformed_and_in_nothing_else(
    topic: str, body: Any
) -> None:
    funnels = Funnels()
    funnels.add(topic, body)
    assert (funnels.campaigns(), funnels.malformed) == ([], 1)


def test_other_topics_change_nothing() -> None:
    funnels = Funnels()
    funnels.add("payment", {})
    assert (funnels.campaigns(), funnels.malformed) == ([], 0)
