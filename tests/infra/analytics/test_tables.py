"""Tables in files: which facts a row has, under which names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.analytics.tables import MAX_NAME, fact_name, fact_names, parse_cell, rows
from infra.errors import UsageError
from tests.support.artifacts import logistic, number, score

NAME = re.compile(r"[A-Za-z]\w*(?:\.\w+)*", re.ASCII)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("tenure", "tenure"),
        ("subscription.plan", "subscription.plan"),
        ("Monthly Charges", "Monthly_Charges"),
        ("charges (€)", "charges"),
        ("2fa", "column_2fa"),
        ("_x", "x"),
        ("", "column"),
        ("é", "column"),
        ("a..b.", "a.b"),
        ("x\n", "x"),
    ],
)
def test_a_column_is_named_as_a_fact_can_be(column, name):
    assert fact_name(column) == name


@given(st.lists(st.text(max_size=200), max_size=8))
def test_names_are_those_of_facts_and_each_is_given_once(header):
    names = fact_names(header)
    assert len(set(names)) == len(names) == len(header)
    for name in names:
        assert NAME.fullmatch(name)
        assert len(name) <= MAX_NAME
        score(logistic(numeric=[number(name)]))


def test_a_name_that_is_one_already_stays_whatever_others_become():
    assert fact_names(["a b", "a_b", "a-b"]) == ["a_b_2", "a_b", "a_b_3"]
    assert fact_names(["x", "x", "x_2"]) == ["x", "x_3", "x_2"]
    long = [f"{'long ' * 60}{number}" for number in range(12)]
    assert {len(name) <= MAX_NAME for name in fact_names(long)} == {True}
    assert len({*fact_names(long)}) == 12


@pytest.mark.parametrize("text", ["a b,c\n1,2\n", "a b;c\n1;2\n", "a b\tc\n1\t2\n", "\ufeffa b,c\r\n1,2\r\n"])
def test_separators_and_marks_make_no_difference(tmp_path, text):
    file = tmp_path / "rows.csv"
    file.write_text(text, encoding="utf-8", newline="")
    assert [*rows(file)] == [{"a_b": 1, "c": 2}]


def test_two_columns_of_a_name_are_refused_unless_they_may_be_renamed(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("x,x\n1,2\n")
    with pytest.raises(UsageError, match="names each column once"):
        [*rows(file)]
    assert [*rows(file, repeated_names=True)] == [{"x": 1, "x_2": 2}]


def test_blank_cells_are_missing():
    assert [parse_cell(cell) for cell in ("", " ", "\t ")] == [None, None, None]


def test_names_in_jsonl_are_those_of_facts_too(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"subscription": {"plan": "p"}, "Monthly Charges": 3}\n')
    assert [*rows(file)] == [{"subscription.plan": "p", "Monthly_Charges": 3}]
