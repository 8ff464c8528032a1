"""No refusal, and no trace of one in a log, repeats anything of the input: it may be personal data."""

import traceback
from typing import Any

import pytest

from tests.shared.contracts.samples import COMMON, PAYMENT, refusal

SECRET = "secret-4711-value"


@pytest.mark.parametrize("field", [*PAYMENT, "profile", "grace_until", "final", "source", "schema_version"])
@pytest.mark.parametrize(
    "bad", [f"{SECRET}\x00 /", [SECRET], {"country": SECRET, "time_zone": f"{SECRET} x"}, 471100.5]
)
def test_no_value_leaks_into_a_refusal(field: str, bad: Any) -> None:
    rejected = refusal(PAYMENT | {field: bad, SECRET: SECRET})
    told = "".join(traceback.format_exception(rejected))
    assert SECRET not in told
    assert "471100" not in told
    assert COMMON["user_id"] not in told


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
