"""Offsets: the text of an offset and the offset of a text."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.moments import MomentKind, caused_by_time
from shared.domain.offsets import MAX_OFFSET, OFFSET_EXPECTED, offset_text, parse_offset
from tests.support.story import day

hours = st.integers(1, MAX_OFFSET // timedelta(hours=1))


@given(hours)
def test_every_offset_has_a_text_that_gives_it_again(number: int) -> None:
    offset = timedelta(hours=number)
    assert parse_offset(offset_text(offset)) == parse_offset(f"{number}h") == offset


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("7", "7d"),
        ("7d", "7d"),
        ("07", "7d"),
        ("168h", "7d"),
        ("24h", "1d"),
        ("36h", "36h"),
        ("1h", "1h"),
        ("3650", "3650d"),
    ],
)
def test_one_offset_has_one_text(written: str, text: str) -> None:
    assert offset_text(parse_offset(written)) == text


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0",
        "0h",
        "d",
        "h",
        "-1",
        "+1",
        "1.5",
        "1w",
        "1D",
        " 1",
        "1 d",
        "1d12h",
        "٣",
        "3651",
        "87601h",
        "9" * 5000,
    ],
)
def test_other_text_is_no_offset(written: str) -> None:
    with pytest.raises(ValueError, match=OFFSET_EXPECTED):
        parse_offset(written)


@pytest.mark.parametrize(("written", "named"), [("3d", "3"), ("72h", "3"), ("36h", "36h")])
def test_a_cause_names_whole_days_by_their_number_as_it_always_did(written: str, named: str) -> None:
    moment = caused_by_time(MomentKind.LAPSED, "main", day(0), "grant", offset=parse_offset(written))
    assert moment.cause == f"lapsed/main/{named}/grant"
