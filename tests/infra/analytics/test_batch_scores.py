import json

import pytest

from infra.analytics.artifacts import find_score, shipped_artifact
from infra.analytics.batch_scores import RowCounts, score_rows
from infra.analytics.tables import parse_cell, rows
from infra.catalog.load import SHIPPED_SCORES
from infra.errors import UsageError
from shared.decisioning.audiences.facts import FACTS
from shared.decisioning.scoring.load import load_score
from shared.decisioning.scoring.registry import Registry
from shared.decisioning.scoring.score import Score
from tests.support.artifacts import logistic, number, score, written


@pytest.mark.parametrize("path", sorted(SHIPPED_SCORES.iterdir()), ids=lambda path: path.stem)
def test_every_shipped_score_is_valid_says_its_name_and_asks_for_facts_there_are(path):
    name, version = path.stem.split(".")
    asked = load_score(path.read_bytes(), FACTS.keys())
    assert (asked.name, str(asked.version)) == (name, version)


def test_a_registry_reads_the_shipped_scores():
    registry = Registry(shipped_artifact)
    assert isinstance(registry.get("churn_risk", 1), Score)
    assert registry.get("churn_risk", 99).evaluate({}).error == "score churn_risk version 99: no such artifact"
    assert registry.get("../scores/churn_risk", 1).evaluate({}).value is None


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        ("", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-12", -12),
        ("3.50", 3.5),
        ("1e3", 1000.0),
        ("-0.5E-2", -0.005),
        ("007", "007"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("1,5", "1,5"),
        (" 7", " 7"),
        ("٣", "٣"),
        ("12345678901234567890", "12345678901234567890"),
        ("premium_monthly", "premium_monthly"),
    ],
)
def test_a_cell_is_nothing_a_boolean_a_number_or_text(cell, fact):
    assert (parse_cell(cell), type(parse_cell(cell))) == (fact, type(fact))


def test_rows_of_csv_and_of_jsonl_say_the_same(tmp_path):
    table, lines = tmp_path / "rows.csv", tmp_path / "rows.jsonl"
    table.write_text('\ufeffsubscription.plan,x,y\n"a,b",1,\n\nc,0.5,true\n', encoding="utf-8")
    lines.write_text(
        '{"subscription": {"plan": "a,b"}, "x": 1, "y": null}\n\n{"subscription.plan": "c", "x": 0.5, "y": true}'
    )
    expected = [{"subscription.plan": "a,b", "x": 1, "y": None}, {"subscription.plan": "c", "x": 0.5, "y": True}]
    assert list(rows(table)) == list(rows(lines)) == expected


def test_a_row_that_cannot_be_read_says_why_and_the_next_is_read(tmp_path):
    table, lines = tmp_path / "rows.csv", tmp_path / "rows.jsonl"
    table.write_text("x,y\n1\n1,2,3\n1,2\n")
    lines.write_text('{"x": 1\n[1]\n{"x": NaN}\n{"x": 1}\n')
    assert list(rows(table)) == ["expected 2 cells, found 1", "expected 2 cells, found 3", {"x": 1, "y": 2}]
    assert list(rows(lines)) == [
        "the data: expected JSON in UTF-8, found a mistake at line 2, column 1",
        "the data: expected an object, found a list",
        "the data: expected finite numbers, found NaN or Infinity",
        {"x": 1},
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("rows.txt", b"x\n1\n", "expected a file that ends in .csv or .jsonl, found 'rows.txt'"),
        ("rows.csv", b"", "expected a first line that names each column once, found []"),
        ("rows.csv", b"x,x\n1,2\n", "expected a first line that names each column once, found ['x', 'x']"),
        ("rows.csv", b"x\n\xff\n", "expected CSV in UTF-8, found something else ('utf-8' codec can't decode"),
        ("rows.csv", b'x\n"a\n', "expected CSV in UTF-8, found something else (unexpected end of data)"),
    ],
)
def test_a_file_that_holds_no_rows_is_a_usage_error(tmp_path, name, content, expected):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        list(rows(file))
    assert expected in str(refused.value)


def test_a_score_is_found_by_name_and_version_or_by_path(tmp_path):
    artifact = tmp_path / "mine.json"
    artifact.write_bytes(written(logistic()))
    assert (find_score("churn_risk@1").name, find_score(str(artifact)).name) == ("churn_risk", "risk")


def test_a_score_that_cannot_be_found_or_used_is_a_usage_error(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_bytes(written(logistic(version=0)))
    with pytest.raises(UsageError, match="unknown score 'churn_risc@1'; known are: churn_risk@1"):
        find_score("churn_risc@1")
    with pytest.raises(UsageError, match=r"expected NAME@VERSION or the path of an artifact, found 'none.json'"):
        find_score("none.json")
    with pytest.raises(UsageError, match=r"broken.json: invalid score:\n  version: expected at least"):
        find_score(str(broken))


def test_the_tally_knows_what_failed_and_what_no_row_has_named():
    asked = score(
        logistic(numeric=[number("x"), number("y", missing={"impute": 0}), number("z", missing={"impute": 0})])
    )
    tally = RowCounts(unseen=set(asked.features))
    told = list(score_rows(asked, [{"x": 0}, "unreadable", {"y": 3}], tally))
    assert [scored.value for scored in told] == [0.5, None, None]
    assert told[1].error == "score risk version 1: unreadable"
    assert (tally.rows, tally.failed, tally.unseen) == (3, 2, {"z"})


def test_a_fact_of_jsonl_is_the_very_fact_of_json(tmp_path):
    lines = tmp_path / "rows.jsonl"
    facts = {"text": "007", "none": None, "list": [1], "deep": {"er": {"still": 1}}}
    lines.write_text(json.dumps(facts))
    assert list(rows(lines)) == [{"text": "007", "none": None, "list": [1], "deep.er.still": 1}]
