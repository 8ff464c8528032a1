"""The removal of one user's messages from the raw tables of a warehouse: one statement for each table.

It takes the same messages as `infra.raw.erased` takes of the files of a raw log. A statement that is run again
removes what has come in the meantime, and else nothing.
"""

from collections.abc import Iterable
from shlex import quote
from typing import Any, NamedTuple

from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.errors import WarehouseError
from infra.analytics.warehouse.load import table_of
from infra.analytics.warehouse.user_messages import UserMessages
from infra.raw.erased import Erased
from shared.contracts.outbound.base import rfc3339

MESSAGE_IDS = """
SELECT message_id
FROM (
  SELECT
    message_id, publish_time, text, held,
    COALESCE(
      JSON_VALUE(inner_event, '$.user_id'), JSON_VALUE(inner_event, '$.data.user_id'),
      IF(JSON_VALUE(message, '$.specversion') IS NULL, JSON_VALUE(message, '$.user_id'), NULL),
      JSON_VALUE(message, '$.data.user_id'), JSON_VALUE(message, '$.user_id')
    ) AS named,
    SAFE_CAST(COALESCE(
      JSON_VALUE(inner_event, '$.occurred_at'), JSON_VALUE(inner_event, '$.data.occurred_at'),
      JSON_VALUE(message, '$.occurred_at'), JSON_VALUE(message, '$.data.occurred_at'),
      JSON_VALUE(message, '$.time')
    ) AS TIMESTAMP) AS occurred_at,
    SAFE_CAST(JSON_VALUE(message, '$.sequence') AS INT64) AS number
  FROM (
    SELECT
      message_id, publish_time, text, held, message,
      SAFE.PARSE_JSON(held, wide_number_mode => 'round') AS inner_event
    FROM (
      SELECT
        message_id, publish_time, text, message,
        SAFE_CONVERT_BYTES_TO_STRING(SAFE.FROM_BASE64(JSON_VALUE(message, '$.data_base64'))) AS held
      FROM (
        SELECT
          message_id, publish_time, text,
          SAFE.PARSE_JSON(text, wide_number_mode => 'round') AS message
        FROM (
          SELECT message_id, publish_time, SAFE_CONVERT_BYTES_TO_STRING(data) AS text
          FROM {table}
          WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
        ) AS landed
      ) AS parsed
    ) AS opened
  ) AS read
) AS told
WHERE IF(named IS NULL, STRPOS(COALESCE(NULLIF(held, ''), text), @quoted) > 0, named = @user)
  AND CASE
    WHEN number IS NOT NULL THEN number <= @last_sequence
    ELSE COALESCE(occurred_at, publish_time) <= @until
  END
"""
"""The ids of the messages of one table that go. Within a topic, Pub/Sub gives each id to one message."""
TOO_FRESH = "streaming buffer"
"""A part of BigQuery's words for rows that came so recently that no statement may remove them."""


class Removed(NamedTuple):
    """The result for one table."""

    table: str
    rows: int
    """The rows that went, or would go."""
    is_too_fresh: bool = False
    """True if BigQuery refused because of rows that have just come: run the statement again a day later."""


class UserRemoval:
    """Removes a user's messages from the raw tables of an engine that exist."""

    def __init__(self, engine: Engine, erased: Erased) -> None:
        """Raises `UsageError` if the warehouse has no raw tables."""
        self._engine = engine
        self._parameters = parameters(erased)
        self._tables = [table_of(topic) for topic in UserMessages(engine).topics]

    def count(self) -> list[Removed]:
        """The rows that would go. Raises `WarehouseError`."""
        return [self._counted(table) for table in self._tables]

    def remove(self) -> list[Removed]:
        """Remove the rows, table by table. Raises `WarehouseError`; what was removed before stays removed."""
        return [self._removed(table) for table in self._tables]

    def _counted(self, table: str) -> Removed:
        query = f"SELECT COUNT(*) AS n FROM ({message_ids(table)}) AS gone"
        return Removed(table, int(self._engine.rows(query, **self._parameters)[0]["n"]))

    def _removed(self, table: str) -> Removed:
        try:
            return Removed(table, self._engine.delete(table, message_ids(table), **self._parameters))
        except WarehouseError as error:
            if TOO_FRESH not in str(error):
                raise
            return Removed(table, 0, is_too_fresh=True)


def message_ids(table: str) -> str:
    """The query for the messages of a raw table that go."""
    return MESSAGE_IDS.format(table=table)


def parameters(erased: Erased) -> dict[str, Any]:
    """The values of the parameters of every statement."""
    return {
        "user": erased.user_id,
        "quoted": erased.quoted.decode(),
        "until": erased.at,
        "last_sequence": erased.last_sequence,
    }


def script_for(erased: Erased, topics: Iterable[str], dataset: str) -> str:
    """The statements for the raw tables of these topics in a dataset of BigQuery (PROJECT.DATASET).

    They name parameters, whose values are in the command of the comment at the top.
    """
    from infra.analytics.warehouse.bigquery_sql import deletion  # noqa: PLC0415 - needs its client

    types = {"until": "TIMESTAMP", "last_sequence": "INT64"}
    values = parameters(erased) | {"until": rfc3339(erased.at)}
    said = [f"{name}:{types.get(name, 'STRING')}:{value}" for name, value in values.items()]
    flags = " ".join(f"--parameter={quote(each)}" for each in said)
    tables = [table_of(topic) for topic in topics]
    statements = [f"{deletion(table, message_ids(table), f'{dataset}.{{}}'.format)};" for table in tables]
    return "\n".join([f"-- bq query --nouse_legacy_sql {flags} < FILE", *statements])
