"""Features in a replay come from a file: each decision knows what the rows tell of the time up to it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError, UsageError
from infra.replay.features_file import read_features
from tests.support.builders import campaign, written
from tests.support.replays import Outcome, at, payment, run

ASKING = written(
    features={"value": {"type": "number", "max_age_hours": 48}},
    audiences={"rich": {"all": [{"much": "features.value > 100"}]}},
    campaigns={"upgrade": campaign(audience="rich", moments=["activated", "renewed"])},
)


def lines(path: Path, *rows: Any) -> Path:
    text = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(text))
    return path


def row(user: str, days: float, **values: Any) -> dict[str, Any]:
    return {"user_id": user, "as_of": at(days), **values}


def replayed(folder: Path, *rows: Any, processes: int | None = 1) -> Outcome:
    folder.mkdir(exist_ok=True)
    catalog = lines(folder / "catalog.yaml", ASKING)
    events = [
        each for user in ("a", "b") for each in (payment(user, 10, event_id="1"), payment(user, 40, event_id="2"))
    ]
    events.sort(key=lambda one: one["data"]["occurred_at"])
    features = lines(folder / "features.jsonl", *rows) if rows else None
    return run(folder, *events, catalog=catalog, features=features, processes=processes)


def decided(outcome: Outcome) -> list[tuple[str, str, float | None, list[str]]]:
    """Of each decision the user, the outcome, the value that it knew, and the reasons why there was none."""
    return [
        (one["user_id"], one["outcome"], one["context"]["features.value"], one.get("features_missing", []))
        for one in outcome.rows("decisions")
    ]


ROWS = [row("a", 39, value=500), row("a", 9, value=5), row("b", 9.5, value=500), row("b", 40.001, value=1)]


def test_a_decision_knows_the_newest_row_of_before_it(tmp_path: Path) -> None:
    stale = f"features.value stale since {at(11.5)}"
    assert decided(replayed(tmp_path, *ROWS)) == [
        ("a", "withheld", 5.0, []),
        ("b", "issued", 500.0, []),
        ("a", "issued", 500.0, []),
        ("b", "withheld", None, [stale]),
    ]


def test_the_same_rows_give_the_same_files_in_any_order_and_number_of_processes(tmp_path: Path) -> None:
    files = replayed(tmp_path / "one", *ROWS).files()
    assert replayed(tmp_path / "again", *reversed(ROWS)).files() == files
    assert replayed(tmp_path / "two", *ROWS, processes=2).files() == files


def test_without_a_file_they_are_all_unknown_and_each_decision_says_so(tmp_path: Path) -> None:
    reason = "features unavailable: no source of features is configured"
    assert {one[1:3] + tuple(one[3]) for one in decided(replayed(tmp_path))} == {("withheld", None, reason)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "expected a row as JSON, found something else"),
        ("[1]", "expected an object, found a list"),
        ('{"as_of": "2026-01-01T00:00:00Z"}', "user_id: expected text, found null"),
        ('{"user_id": 7, "as_of": "2026-01-01T00:00:00Z"}', "user_id: expected text, found an integer"),
        ('{"user_id": "a"}', "as_of: expected a time such as 2026-01-31T09:00:00Z, found None"),
        ('{"user_id": "a", "as_of": "2026-01-01"}', "as_of: expected a time such as 2026-01-31T09:00:00Z"),
        ('{"user_id": "a", "as_of": "2026-01-01T00:00:00"}', "as_of: expected a time such as"),
        ('{"user_id": "a", "as_of": 1767225600}', "as_of: expected a time such as"),
    ],
)
def test_a_line_that_is_no_row_is_refused_with_its_number(tmp_path: Path, line: str, expected: str) -> None:
    path = lines(tmp_path / "features.jsonl", row("a", 1, value=1), "", line)
    with pytest.raises(UsageError) as refused:
        read_features(path)
    assert str(refused.value).startswith(f"{path}: line 3: {expected}")
    with pytest.raises(InfraError):
        replayed(tmp_path, line)


async def test_a_value_of_any_type_is_taken_as_it_is(tmp_path: Path) -> None:
    path = lines(tmp_path / "features.jsonl", row("a", 1, value=[1], other={"x": None}))
    known = await read_features(path).load("a", datetime.fromisoformat(at(1)))
    assert {name: feature.value for name, feature in known.values.items()} == {"value": [1], "other": {"x": None}}
