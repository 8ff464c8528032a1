"""Subscriptions as billing teams reported them: the state is right, in order and in any order with duplicates."""

import pytest

from tests.support.case_files import names, read
from tests.support.case_runs import wrong_facts


@pytest.mark.parametrize("name", names())
def test_the_case_holds(name: str) -> None:
    assert "\n".join(wrong_facts(read(name))) == ""
