"""A warehouse whose model `user_features` holds given rows."""

from datetime import datetime

import duckdb

Rows = dict[str, tuple[datetime, float | None, str | None, bool | None]]
"""Of each user the instant, a number, a text and a boolean."""


def build(warehouse: str, rows: Rows) -> None:
    """Build the model with these rows, in place of all others."""
    with duckdb.connect(warehouse) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("DROP TABLE IF EXISTS user_features")
        columns = "user_id VARCHAR, as_of TIMESTAMPTZ, value DOUBLE, segment VARCHAR, vip BOOLEAN"
        connection.execute(f"CREATE TABLE user_features ({columns})")
        for user, (at, *values) in rows.items():
            connection.execute("INSERT INTO user_features VALUES (?, ?, ?, ?, ?)", [user, at, *values])
