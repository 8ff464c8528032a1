"""No rejection and no logged traceback of one repeats any part of the input, which may be personal data."""

import traceback
from typing import Any

import pytest

from tests.support.samples import COMMON, PAYMENT, refusal

SECRET = "secret-4711-value"


@pytest.mark.parametrize("field", [*PAYMENT, "profile", "grace_until", "final", "source", "schema_version"])
@pytest.mark.parametrize(
    "bad", [f"{SECRET}\x00 /", [SECRET], {"country": SECRET, "time_zone": f"{SECRET} x"}, 471100.5]
)
def test_no_value_leaks_into_a_refusal(field: str, bad: Any) -> None:
    rejected = refusal(PAYMENT | {field: bad, SECRET: SECRET})
    logged = "".join(traceback.format_exception(rejected))
    assert SECRET not in logged
    assert "471100" not in logged
    assert COMMON["user_id"] not in logged


@pytest.mark.parametrize(
    "data",
    [
        f'{{"{SECRET}": {SECRET}}}'.encode(),
        f'{{"{SECRET}": 1, "{SECRET}": 2}}'.encode(),
        f'{{"{SECRET}": NaN}}'.encode(),
        f'"{SECRET}"'.encode(),
        f'{{"{SECRET}": "\\q"}}'.encode(),
        SECRET.encode() + b"\xff",
    ],
)
def test_nothing_of_broken_json_leaks_into_a_refusal(data: bytes) -> None:
    assert SECRET not in "".join(traceback.format_exception(refusal(data)))
