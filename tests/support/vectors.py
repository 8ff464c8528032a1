"""The vectors of the portable subset: BigQuery's documented answers."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.errors import WarehouseError
from shared.contracts.outbound.base import rfc3339

FILE = Path(__file__).parents[1] / "infra" / "analytics" / "warehouse" / "vectors.yaml"
VECTORS = yaml.safe_load(FILE.read_text(encoding="utf-8"))


class Vector(NamedTuple):
    """An expression and its answer."""

    of: str
    expression: str
    answer: str | None
    source: str | None = None

    @property
    def sql(self) -> str:
        source = f" FROM {self.source}" if self.source else ""
        return f"SELECT {self.expression} AS answer{source}"


def vectors() -> list[Vector]:
    return [
        Vector(name, *row, *([None] if len(row) == 2 else [])) for name, rows in VECTORS.items() for row in rows
    ]


def answer(engine: Engine, sql: str) -> str | None:
    """What an engine answers, as text."""
    try:
        (row,) = engine.rows(sql)
    except WarehouseError:
        return "error"
    return _text(row["answer"])


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
