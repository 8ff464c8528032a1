"""The page and the view of a user: what is known of them is shown, attributes by their names in clauses."""

from rich.console import Console

from shared.decisioning.catalog import empty_catalog
from shared.domain.events import Profile
from shared.domain.terms import Terms
from shared.processing.process import process
from shared.processing.rules import Rules
from shared.queries.user_view import everything, to_json
from shared.record.user_record import UserRecord
from tests.support.pages import page_of
from tests.support.story import day, paid

GIVEN = (("likes", ["jazz", 3]), ("level", 7), ("gone", None), ("news", False))
EVENT = paid(0)._replace(profile=Profile(country="SE"), attributes=GIVEN)
RECORD = process(UserRecord("user-1"), EVENT, day(0), Rules(empty_catalog(), Terms())).record


def test_attributes_are_shown_with_the_profile_and_removed_ones_are_not() -> None:
    console = Console(width=80, record=True, color_system=None)
    console.print(page_of(RECORD, day(1), Terms()))
    shown = {line.strip() for line in console.export_text().splitlines()}
    assert {
        "country           SE",
        "attributes.level  7",
        "attributes.likes  jazz, 3",
        "attributes.news   no",
    } <= shown
    assert not any("gone" in line for line in shown)


def test_the_view_has_them_as_they_were_given() -> None:
    view = to_json(everything(RECORD, day(1), Terms()))
    assert view["profile"]["country"] == "SE"
    assert view["profile"]["attributes"] == {"level": 7, "likes": ["jazz", 3], "news": False}
