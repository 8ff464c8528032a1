import pytest

from infra.terminal.values import is_set, line


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "not set"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (0.25, "0.25"),
        ("premium", "premium"),
        ([], "none"),
        (["renewed", "lapsed@7"], "renewed, lapsed@7"),
        ({"max": 1, "window_days": None}, "max 1"),
        ({"max": None}, "nothing set"),
        ([{"max": 1, "window_days": 30}, {"max": 3}], "max 1, window_days 30; max 3"),
        ({"enabled": False, "weights": [1, 2]}, "enabled false, weights 1, 2"),
    ],
)
def test_json_is_told_in_one_line(value, told):
    assert line(value) == told


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_nothing_is_not_set(value):
    assert not is_set(value)


@pytest.mark.parametrize("value", [False, 0, "no", [0], {"a": None}])
def test_no_and_zero_are_set(value):
    assert is_set(value)
