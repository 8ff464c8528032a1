"""The campaigns that a history cannot show are named, with the reason."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.whatif.unseen import FEEDBACK, NEW_MILESTONE, NO_MOMENT, SCHEDULE
from tests.infra.whatif.studies import changed, history, study
from tests.support.replays import payment

MORE = {"offer": "c", "placement": "more", "moments": ["renewed"], "priority": 10}
PLACE = {"more": {"channel": "email"}}


def unseen(
    folder: Path, milestones: Mapping[str, list[int]] | None = None, *, switch: bool = True, **terms: Any
) -> Mapping[str, str]:
    """The campaigns that the history cannot show, if one more campaign is added after 15 days."""
    added = changed(placements=PLACE, campaigns={"more": {**MORE, **terms}}, milestones=milestones or {})
    return study(folder, history(users=3), added, switch=switch).unseen


def test_a_campaign_that_the_history_shows_is_not_among_them(tmp_path: Path) -> None:
    assert unseen(tmp_path) == {}


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"moments": ["paused"]}, NO_MOMENT),
        ({"moments": ["activated"]}, NO_MOMENT),  # all were activated before the switch
        ({"starts_at": "2030-01-01T00:00:00Z"}, SCHEDULE),
        ({"ends_at": "2026-01-02T00:00:00Z"}, SCHEDULE),
        ({"suppress_on": "dismissed"}, FEEDBACK),
        ({"cool_down_hours": {"dismissed": 24}}, FEEDBACK),
        ({"cap": {"max": 1, "event": "impression"}}, FEEDBACK),
    ],
)
def test_a_campaign_is_named_with_the_reason(terms: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert unseen(tmp_path, **terms) == {"more": reason}


def test_a_cap_or_a_rest_that_counts_triggers_is_shown_in_full(tmp_path: Path) -> None:
    assert unseen(tmp_path, cap={"max": 1}, cool_down_hours=24) == {}


def test_without_a_switch_the_whole_history_counts(tmp_path: Path) -> None:
    assert unseen(tmp_path, moments=["activated"], switch=False) == {}


def test_a_campaign_that_is_not_live_is_not_missed(tmp_path: Path) -> None:
    assert unseen(tmp_path, moments=["paused"], state="draft") == {}


def test_a_milestone_that_is_new_at_the_switch_is_named(tmp_path: Path) -> None:
    added = changed(
        placements=PLACE,
        milestones={"lapsed": [1]},
        campaigns={"more": {**MORE, "moments": ["renewed", "lapsed@1"]}},
    )
    assert study(tmp_path, history(users=3), added).unseen == {"more": NEW_MILESTONE}
    (tmp_path / "throughout").mkdir()
    assert study(tmp_path / "throughout", history(users=3), added, switch=False).unseen == {}


def test_what_follows_new_triggers_asks_for_feedback_that_the_history_lacks(tmp_path: Path) -> None:
    """The triggers of `more` are new; nobody can have answered them."""
    for moment in ("feedback.absent@2d:more", "feedback.clicked:more"):
        (folder := tmp_path / moment.partition("@")[0]).mkdir()
        after = {**MORE, "moments": [moment]}
        added = changed(placements=PLACE, campaigns={"more": MORE, "after": after})
        assert study(folder, history(users=3), added).unseen == {"after": FEEDBACK}


def test_a_wait_for_an_answer_that_is_new_at_the_switch_is_named(tmp_path: Path) -> None:
    """Both catalogs issue the triggers of `more` when the users renew."""
    before = changed(placements=PLACE, campaigns={"more": MORE})
    after = {**MORE, "moments": ["feedback.absent@2d:more"]}
    added = changed(placements=PLACE, campaigns={"more": MORE, "after": after})
    lines = [*history(users=3), payment("u0", 60, event_id="third")]
    assert study(tmp_path, lines, added, before=before).unseen == {"after": NEW_MILESTONE}
