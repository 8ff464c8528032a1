"""Warnings about campaigns that follow others: told where the open trigger that they follow is in their way."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.catalog.warnings import warnings
from infra.strict_yaml import read_yaml
from shared.decisioning.compile import compile_catalog
from tests.support.builders import campaign, catalog
from tests.support.journeys import JOURNEY

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GROUP = "upgrades"
"""A group that has members beside those that are tried."""


def told(moment: str, *, hours: int = 72, first: dict[str, Any] | None = None, **terms: Any) -> list[str]:
    """The warnings about a campaign that follows `upgrade`, whose offer is valid for so many hours."""
    followed = campaign(expires_after_hours=hours, priority=50, **(first or {}))
    follower = campaign(moments=[moment], **{"priority": 50, **terms})
    document = catalog(
        placements={"banner": {"channel": "in_app"}, "inbox": {"channel": "email"}},
        campaigns={"upgrade": followed, "after": follower}
        | dict.fromkeys("ab", campaign(exclusivity_group=GROUP)),
    ).document
    return [*warnings(document, NOW)]


HOLDS = "campaigns.after.priority: expected more than that of upgrade (50), which holds the only place then"
PLACE = f"{HOLDS}, found 50"
EXCLUDED = (
    "campaigns.after.exclusivity_group: expected another group than that of upgrade, "
    'whose open trigger excludes what follows it, found "upgrades"'
)


@pytest.mark.parametrize("moment", ["feedback.absent@2d:upgrade", "feedback.clicked:upgrade"])
def test_what_is_open_holds_the_place_against_its_own_follow_up(moment: str) -> None:
    assert told(moment) == [PLACE]
    assert told(moment, priority=51) == []
    assert told(moment, priority=51, replaces=False) == [f"{HOLDS}, found 51"]
    assert told(moment, placement="inbox") == []


@pytest.mark.parametrize("moment", ["feedback.absent@2d:upgrade", "feedback.clicked:upgrade"])
def test_what_is_open_excludes_what_follows_it_in_its_group(moment: str) -> None:
    group = {"exclusivity_group": GROUP}
    assert told(moment, first=group, placement="inbox", **group) == [EXCLUDED]
    assert told(moment, first=group, placement="inbox") == []


@pytest.mark.parametrize("moment", ["feedback.absent@3d:upgrade", "feedback.dismissed:upgrade"])
def test_what_has_expired_or_was_dismissed_is_in_nobodys_way(moment: str) -> None:
    group = {"exclusivity_group": GROUP}
    assert told(moment, first=group, **group) == []


def test_the_journey_of_the_page_has_no_warning() -> None:
    assert [*warnings(compile_catalog(read_yaml(JOURNEY.encode())).document, NOW)] == []
