"""Case files: a mistake in one is named, and an expectation that does not hold is found."""

import re
from pathlib import Path
from shutil import copy
from typing import Any

import orjson
import pytest

from shared.domain.errors import Rejected
from shared.domain.subscription import Status
from tests.support.case_files import EVENTS, EXPECTED, FOLDER, BadCase, Case, names, read
from tests.support.case_runs import wrong_facts

NAME = "10g-hold-grace-moved-recovered"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good case."""
    for kind in (EVENTS, EXPECTED):
        copy(FOLDER / f"{NAME}{kind}", tmp_path)
    return tmp_path


def _rewrite(folder: Path, **changes: Any) -> None:
    path = folder / f"{NAME}{EXPECTED}"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entiteld": True}, "entiteld: Extra inputs are not permitted"),
        (
            {"instants": [{"now": "2026-02-02T00:00:00Z", "state": "grace"}]},
            "instants.0.state: Extra inputs are not permitted",
        ),
        ({"instants": [{"now": "2026-02-02T00:00:00"}]}, "instants.0.now: Input should have timezone info"),
        ({"instants": []}, "instants: Tuple should have at least 1 item"),
        ({"status": "lapsed"}, "status: Input should be 'active', 'trialing'"),
        (
            {"triggers_must": ["save"]},
            "triggers_must: Value error, expected campaigns of the default catalog, found save",
        ),
        ({"moments_must_not": ["ended"]}, "moments_must_not: Value error, expected moments as kind or kind@MM-DD"),
        ({"entitled": "yes"}, "entitled: Input should be a valid boolean"),
        ({"user": "u2"}, f"{NAME}{EVENTS}: expected events of u2, found some of u1"),
    ],
)
def test_a_mistake_is_named(folder: Path, changes: dict[str, Any], message: str) -> None:
    _rewrite(folder, **changes)
    with pytest.raises(BadCase, match=re.escape(message)):
        read(NAME, folder)


@pytest.mark.parametrize("missing", [EVENTS, EXPECTED])
def test_a_case_with_one_file_is_a_mistake(folder: Path, missing: str) -> None:
    (folder / f"{NAME}{missing}").unlink()
    assert names(folder) == [NAME]
    with pytest.raises(BadCase, match=rf"{NAME}{missing}: expected this file"):
        read(NAME, folder)


def test_a_case_without_events_is_a_mistake(folder: Path) -> None:
    (folder / f"{NAME}{EVENTS}").write_text("\n")
    with pytest.raises(BadCase, match="expected at least one event"):
        read(NAME, folder)


def test_an_unknown_key_of_a_line_is_named(folder: Path) -> None:
    (folder / f"{NAME}{EVENTS}").write_text('{"topic": "payment", "data": {}, "date": 1}')
    with pytest.raises(BadCase, match=f"{NAME}{EVENTS}: date: Extra inputs"):
        read(NAME, folder)


def test_an_event_that_the_contract_refuses_is_refused(folder: Path) -> None:
    (folder / f"{NAME}{EVENTS}").write_text('{"topic": "payment", "data": {"event_id": "p1"}}')
    with pytest.raises(Rejected):
        read(NAME, folder)


def test_every_fact_of_the_view_is_compared_in_every_order() -> None:
    case = read(NAME)
    last = case.expected.instants[-1]
    other = {"status": Status.PAUSED, "entitled": False, "plan": "b", "period_end": last.now, "auto_renew": False}
    for name, value in other.items():
        instants = (*case.expected.instants[:-1], last.model_copy(update={name: value}))
        (found,) = wrong_facts(_expecting(case, instants=instants))
        assert f": {name}: expected " in found
        assert found.endswith("(in order, shuffled by 1, shuffled by 2, shuffled by 3)")


@pytest.mark.parametrize(
    ("expectation", "names", "found"),
    [
        ("triggers_must", {"save_offer"}, "trigger save_offer: expected one, found none"),
        ("triggers_must_not", {"payment_recovery"}, "trigger payment_recovery: expected none, found one"),
        ("moments_must", {"paused"}, "moment paused: expected, not found"),
        ("moments_must", {"activated@01-02"}, "moment activated@01-02: expected, not found"),
        ("moments_must_not", {"activated"}, "moment activated: not expected, found"),
        ("moments_must_not", {"payment.failed@02-06"}, "moment payment.failed@02-06: not expected, found"),
    ],
)
def test_every_trigger_and_moment_is_compared(expectation: str, names: set[str], found: str) -> None:
    assert wrong_facts(_expecting(read(NAME), **{expectation: frozenset(names)})) == [found]


def _expecting(case: Case, **changes: Any) -> Case:
    return case._replace(expected=case.expected.model_copy(update=changes))
