import pytest

from infra.whatif.wording import Difference, differences, without_instants


@pytest.mark.parametrize(
    ("was", "is_", "exact", "general"),
    [
        ("half", "free", "half -> free", "half -> free"),
        (None, "blue", "not set -> blue", "not set -> blue"),
        (False, True, "false -> true", "false -> true"),
        (0.2, 0.3, "0.2 -> 0.3", "higher"),
        (3, 1, "3 -> 1", "lower"),
        (None, 0.5, "not set -> 0.5", "not set -> 0.5"),
        (
            "2026-01-01T00:00:00Z",
            "2026-01-03T00:00:00Z",
            "2026-01-01T00:00:00Z -> 2026-01-03T00:00:00Z",
            "2 days later",
        ),
        (
            "2026-01-01T06:30:00.5Z",
            "2026-01-01T00:00:00.5Z",
            "2026-01-01T06:30:00.5Z -> 2026-01-01T00:00:00.5Z",
            "6.5 hours earlier",
        ),
    ],
)
def test_a_difference_is_told_exactly_and_in_general(was, is_, exact, general):
    assert [*differences({"it": was, "same": 1}, {"it": is_, "same": 1})] == [Difference("it", exact, general)]


def test_differences_come_by_name_and_missing_is_not_set():
    before, after = {"b": 1, "c": "gone"}, {"a": "new", "b": 2}
    assert [each.name for each in differences(before, after)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("detail", "general"),
    [
        (None, None),
        ("1 in 30 days", "1 in 30 days"),
        ("until 2026-01-01T00:00:00+00:00", None),
        ("deferred from 2026-01-01T00:00:00.000001Z", "deferred from a time"),
    ],
)
def test_in_general_no_instant_is_named(detail, general):
    assert without_instants(detail) == general
