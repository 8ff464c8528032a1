"""Queries for BigQuery as they are written, with the tables' full names; and the statements of the state."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter
from sqlglot import exp

from infra.analytics.warehouse.engine import State
from infra.analytics.warehouse.queries import checked


def qualified(sql: str, tree: exp.Expression, address: Callable[[str], str]) -> str:
    """A query with the full name of each table in place of its name. Nothing else of the text changes."""
    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    places = [
        (table.this.meta["start"], table.this.meta["end"] + 1, table)
        for table in tree.find_all(exp.Table)
        if table.name not in defined
    ]
    for start, end, table in sorted(places, key=lambda place: place[0], reverse=True):
        alias = "" if table.alias else f" AS {table.name}"
        sql = f"{sql[:start]}`{address(table.name)}`{alias}{sql[end:]}"
    return sql


def deletion(table: str, message_ids: str, address: Callable[[str], str]) -> str:
    """The statement that deletes the messages of a raw table whose ids a portable query gives.

    The tables are refused to whoever names no partitions, so all are named.
    """
    chosen = qualified(message_ids, checked(message_ids), address).strip()
    return (
        f"DELETE FROM `{address(table)}`\n"
        f"WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00' AND message_id IN (\n{chosen}\n)"
    )


def parameter(name: str, value: Any) -> Any:
    """A query parameter of the type of a Python value; of a list, of its first one's."""
    if isinstance(value, list | tuple | set | frozenset):
        values = list(value)
        return ArrayQueryParameter(name, _type(values[0]) if values else "STRING", values)
    return ScalarQueryParameter(name, _type(value), value)


def _type(value: Any) -> str:
    kinds = ((bool, "BOOL"), (int, "INT64"), (float, "FLOAT64"), (datetime, "TIMESTAMP"), (date, "DATE"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "STRING")


def row_digest(schema: list[Any]) -> str:
    """A fingerprint of a row; a FLOAT64 counts with 12 digits, since the order of a sum decides the rest."""
    columns = ", ".join(
        f"FORMAT('%.12g', `{field.name}`) AS `{field.name}`"
        if field.field_type in {"FLOAT", "FLOAT64"} and field.mode != "REPEATED"
        else f"`{field.name}`"
        for field in schema
    )
    return f"FARM_FINGERPRINT(TO_JSON_STRING(STRUCT({columns})))"


def tables_of_state(address: Callable[[str], str]) -> list[str]:
    """The statements that make the tables of the state."""
    columns = {
        "_builds": "name STRING, key STRING, seen INT64",
        "_partitions": "name STRING, day DATE, fingerprint STRING, changed INT64",
    }
    return [f"CREATE TABLE IF NOT EXISTS `{address(name)}` ({types})" for name, types in columns.items()]


def state_script(state: State, address: Callable[[str], str]) -> str:
    """The statements that write a state. Values are literals, since the emulator's scripts take no parameters."""
    builds, partitions, name = f"`{address('_builds')}`", f"`{address('_partitions')}`", literal(state.table)
    statements = [
        f"DELETE FROM {builds} WHERE name = {name};",
        f"INSERT INTO {builds} (name, key, seen) VALUES ({name}, {literal(state.key)}, {state.seen});",
    ]
    if state.partitions:
        days = ", ".join(f"'{day or ''}'" for day in state.partitions)
        rows = ", ".join(
            f"({name}, {_day(day)}, {literal(fingerprint)}, {changed})"
            for day, (fingerprint, changed) in state.partitions.items()
        )
        statements += [
            f"DELETE FROM {partitions} WHERE name = {name} AND COALESCE(CAST(day AS STRING), '') IN ({days});",
            f"INSERT INTO {partitions} (name, day, fingerprint, changed) VALUES {rows};",
        ]
    return " ".join(statements)


def literal(text: str) -> str:
    """A text as a literal of BigQuery's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _day(day: date | None) -> str:
    return f"DATE '{day}'" if day else "NULL"
