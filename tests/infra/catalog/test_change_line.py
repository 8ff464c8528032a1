"""The difference between two stored catalogs in one line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.change_line import change_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
CATALOGS = st.dictionaries(st.sampled_from(["offers", "campaigns", "kill_switch", "x"]), JSON, max_size=4)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {}, "the same catalog again"),
        ({}, {"kill_switch": True}, "changed kill_switch to true"),
        ({"kill_switch": True}, {}, "changed kill_switch to its default"),
        ({}, {"offers": {"a": {}, "b": {}}}, "added offers.a, offers.b"),
        ({"offers": {"a": {}}}, {"campaigns": {"a": {}}}, "added campaigns.a; removed offers.a"),
        ({"offers": {"a": {"validity_hours": 1}}}, {"offers": {"a": {"validity_hours": 2}}}, "changed offers.a"),
        ({}, {"offers": {c: {} for c in "abcdef"}}, "added offers.a, offers.b, offers.c, offers.d and 2 more"),
        ({"offers": ["a"]}, {"offers": {"a": {}}}, "added offers.a"),
    ],
)
def test_the_line_names_what_changed(before: dict[str, Any], after: dict[str, Any], told: str) -> None:
    assert change_line(before, after) == told


@given(CATALOGS, CATALOGS)
def test_any_json_gives_a_line_of_bounded_length(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert len(change_line(before, after)) < 1000
    assert change_line(after, after) == "the same catalog again"


def test_long_names_and_values_are_cut() -> None:
    line = change_line({}, {"offers": {"x" * 1000: {}}, "time_zone": "y" * 1000})
    assert len(line) < 200
