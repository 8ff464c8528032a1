"""Quick copies of named tuples: they are what the standard `_replace` makes."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.copying import copied_quickly


class Plain(NamedTuple):
    first: int = 1
    second: str = "2"
    third: tuple[int, ...] = ()


@copied_quickly
class Quick(NamedTuple):
    first: int = 1
    second: str = "2"
    third: tuple[int, ...] = ()


VALUES = {"first": st.integers(), "second": st.text(), "third": st.tuples(st.integers())}


@given(st.fixed_dictionaries(VALUES), st.fixed_dictionaries({}, optional=VALUES))
def test_a_quick_copy_is_the_standard_one_and_leaves_its_original_alone(values, changes) -> None:
    original = Quick(**values)
    copy = original._replace(**changes)
    assert type(copy) is Quick
    assert copy == Plain(**values)._replace(**changes)
    assert original == Quick(**values)


def test_a_field_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError, match="fourth"):
        Quick()._replace(fourth=4)
