"""The queries of docs/warehouse-models.md run on the models as they are written there."""

import re
from pathlib import Path

import pytest

from tests.support import analysts

analysts.required("duckdb", "sqlglot", "pyarrow")

from tests.support.raw_rows import (
    MODELS,
    Warehouse,
    candidate,
    catalog,
    change,
    decision,
    held,
    tick,
)

PAGE = Path(__file__).parents[4] / "docs" / "warehouse-models.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
DISCOUNT = {"variants": [{"id": "a", "weight": 1}, {"id": "b", "weight": 0}], "goal_metrics": ["activated"]}
ANSWERS = [
    [("a", 2)],
    [("held_out", 1), ("treated", 2)],
    [("a", 2, 0.5, 0.5)],
]


@pytest.fixture(scope="module")
def built():
    def in_arm(user, make):
        one = make(variant="a", experiment_id="win_back_discount")
        return decision(user, 1, one | ({"holdouts": ["everything"]} if make is held else {}))

    warehouse = Warehouse(
        catalog(experiments={"win_back_discount": DISCOUNT}, holdouts={"everything": {"percent": 5}}),
        in_arm("u", candidate),
        in_arm("v", candidate),
        in_arm("w", held),
        change("u", 3, moments=["activated"]),
        tick(50),
    )
    warehouse.run("metrics")
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize(("query", "answer"), [*zip(QUERIES, ANSWERS, strict=True)])
def test_a_query_of_the_page_answers_as_it_says(built, query, answer):
    assert built.rows(query) == answer


def test_the_page_names_every_model():
    named = set(re.findall(r"`([a-z_]+)`", PAGE.read_text()))
    assert {name for name in MODELS if not name.startswith("stg_")} - {"newest"} <= named
