"""Attributes and the present event, from a file of events to the decisions of the real functions."""

import json
from pathlib import Path
from typing import Any

from tests.support import replays
from tests.support.replays import at, payment

CATALOG = {
    "placements": {"banner": {"channel": "in_app"}, "page": {"channel": "in_app"}},
    "offers": {"card": {"cms_ref": "offers/card", "validity_hours": 24}},
    "attributes": {"fav-genre": {"type": "string"}, "level": {"type": "number"}},
    "audiences": {
        "expired_card": {"all": [{"expired": "event.failure_reason == 'card_expired'"}]},
        "fans": {
            "all": [{"jazz": "profile.attributes.fav-genre == 'jazz'"}, {"high": "profile.attributes.level > 3"}]
        },
        "others": {"none_of": ["fans"]},
    },
    "campaigns": {
        "new_card": {
            "offer": "card",
            "placement": "banner",
            "moments": ["payment.failed"],
            "priority": 50,
            "audience": "expired_card",
        },
        "for_others": {
            "offer": "card",
            "placement": "page",
            "moments": ["payment.failed"],
            "priority": 50,
            "audience": "others",
        },
    },
}
FACTS = [
    ("fan", {"fav-genre": "jazz", "level": 7}, "card_expired"),
    ("other", {"fav-genre": "pop", "level": 7}, "no_money"),
    ("unknown", {}, None),
    ("ill-typed", {"fav-genre": "jazz", "level": "7"}, "card_expired"),
    ("ill-formed", {"fav-genre": {"jazz": 1}, "level": 1}, "card_expired"),
]


def history() -> list[dict[str, Any]]:
    """A payment and a failed one for each user; the attributes come with the first."""
    return [
        line
        for user_id, attributes, reason in FACTS
        for line in (
            payment(user_id, 0, profile={"attributes": attributes}),
            payment(
                user_id, 29, "failed", "failure", failure_reason=reason, period_start=at(30), period_end=at(60)
            ),
        )
    ]


def test_campaigns_ask_for_what_producers_told(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))
    done = replays.run(tmp_path, *history(), catalog=file)
    assert done.rows("dead-letter") == []
    details = {
        (decision["user_id"], one["campaign_id"]): one["detail"]
        for decision in done.rows("decisions")
        for one in decision["candidates"]
    }
    unknown = "none_of.fans.high: profile.attributes.level unknown"
    assert details == {
        ("fan", "new_card"): None,
        ("fan", "for_others"): "none_of.fans",
        ("other", "new_card"): "expired",
        ("other", "for_others"): None,
        ("unknown", "new_card"): "expired",
        ("unknown", "for_others"): "none_of.fans.jazz: profile.attributes.fav-genre unknown",
        ("ill-typed", "new_card"): None,
        (
            "ill-typed",
            "for_others",
        ): f"{unknown} (profile.attributes.level: expected a number, found a string of 1 characters)",
        ("ill-formed", "new_card"): None,
        ("ill-formed", "for_others"): None,
    }


def test_the_order_of_arrival_decides_nothing(tmp_path: Path) -> None:
    """The attribute of the later event wins; the earlier event comes after it."""
    late = payment("u", 0, profile={"attributes": {"level": 1, "fav-genre": "jazz"}}) | {"publish_time": at(5)}
    early = payment("u", 1, event_id="second", profile={"attributes": {"level": 5}}) | {"publish_time": at(2)}
    failed = payment("u", 29, "failed", "failure", period_start=at(31), period_end=at(61))
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))
    done = replays.run(tmp_path, early, late, failed, catalog=file)
    details = [
        one["detail"]
        for row in done.rows("decisions")
        for one in row["candidates"]
        if one["campaign_id"] == "for_others"
    ]
    assert details == ["none_of.fans"]
