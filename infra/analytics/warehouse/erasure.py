"""The removal of one user's messages from the raw tables of a warehouse: one statement for each table.

It takes the same messages as `infra.raw.erased` takes of the files of a raw log. A statement that is run again
removes what has come in the meantime, and else nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from shlex import quote
from typing import Any, NamedTuple

from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.errors import WarehouseError
from infra.analytics.warehouse.load import table_of
from infra.analytics.warehouse.user_messages import UserMessages
from infra.raw.erased import CLOCK_SKEW, Erased
from shared.contracts.outbound.base import rfc3339
from shared.queries.past_log import ABOUT_USER

MESSAGE_IDS = """
SELECT message_id
FROM (
  SELECT
    message_id, publish_time, text, held,
    COALESCE(
      JSON_VALUE(inner_event, '$.user_id'), JSON_VALUE(inner_event, '$.data.user_id'),
      IF(JSON_VALUE(message, '$.specversion') IS NULL, JSON_VALUE(message, '$.user_id'), NULL),
      JSON_VALUE(message, '$.data.user_id'), JSON_VALUE(message, '$.user_id'),
      JSON_VALUE(message, '$.attributes.user_id'), JSON_VALUE(attributes, '$.user_id')
    ) AS named,
    SAFE_CAST(COALESCE(
      JSON_VALUE(inner_event, '$.occurred_at'), JSON_VALUE(inner_event, '$.data.occurred_at'),
      JSON_VALUE(message, '$.occurred_at'), JSON_VALUE(message, '$.data.occurred_at'),
      JSON_VALUE(message, '$.time')
    ) AS TIMESTAMP) AS occurred_at,
    SAFE_CAST(JSON_VALUE(message, '$.decided_at') AS TIMESTAMP) AS decided_at
  FROM (
    SELECT
      message_id, publish_time, attributes, text, held, message,
      SAFE.PARSE_JSON(held, wide_number_mode => 'round') AS inner_event
    FROM (
      SELECT
        message_id, publish_time, attributes, text, message,
        SAFE_CONVERT_BYTES_TO_STRING(SAFE.FROM_BASE64(JSON_VALUE(message, '$.data_base64'))) AS held
      FROM (
        SELECT
          message_id, publish_time, attributes, text,
          SAFE.PARSE_JSON(text, wide_number_mode => 'round') AS message
        FROM (
          SELECT message_id, publish_time, attributes, SAFE_CONVERT_BYTES_TO_STRING(data) AS text
          FROM {table}
          WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
        ) AS landed
      ) AS parsed
    ) AS opened
  ) AS read
) AS told
WHERE IF(named IS NULL, STRPOS(COALESCE(NULLIF(held, ''), text), @quoted) > 0, named = @user)
  AND ({is_old})
"""
"""The ids of the messages of one table that go. Within a topic, Pub/Sub gives each id to one message."""
OLD_EVENT = f"""COALESCE(
    IF(occurred_at > TIMESTAMP_ADD(publish_time, INTERVAL {CLOCK_SKEW.seconds} SECOND), publish_time, occurred_at),
    publish_time
  ) <= @until"""
OLD_MESSAGE = "COALESCE(decided_at, publish_time) <= @decided_until"
"""The condition for an event, and for a message of Upbeat's own."""
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

    def __init__(self, engine: Engine) -> None:
        """Raises `UsageError` if the warehouse has no raw tables."""
        self._engine = engine
        self._topics = UserMessages(engine).topics

    def count(self, erased: Erased) -> list[Removed]:
        """The rows that would go. Raises `WarehouseError`."""
        return [self._counted(topic, parameters(erased)) for topic in self._topics]

    def remove(self, erased: Erased) -> list[Removed]:
        """Remove the rows, table by table. Raises `WarehouseError`; what was removed before stays removed."""
        return [self._removed(topic, parameters(erased)) for topic in self._topics]

    def _counted(self, topic: str, values: Mapping[str, Any]) -> Removed:
        query = f"SELECT COUNT(*) AS n FROM ({message_ids(topic)}) AS gone"
        return Removed(table_of(topic), int(self._engine.rows(query, **values)[0]["n"]))

    def _removed(self, topic: str, values: Mapping[str, Any]) -> Removed:
        table = table_of(topic)
        try:
            return Removed(table, self._engine.delete(table, message_ids(topic), **values))
        except WarehouseError as error:
            if TOO_FRESH not in str(error):
                raise
            return Removed(table, 0, is_too_fresh=True)


def message_ids(topic: str) -> str:
    """The query for the messages of a topic that go."""
    return MESSAGE_IDS.format(table=table_of(topic), is_old=OLD_MESSAGE if topic in ABOUT_USER else OLD_EVENT)


def parameters(erased: Erased) -> dict[str, Any]:
    """The values of the parameters of every statement."""
    return {
        "user": erased.user_id,
        "quoted": erased.quoted.decode(),
        "until": erased.at,
        "decided_until": erased.decided_until,
    }


def script_for(erased: Erased, topics: Iterable[str], dataset: str) -> str:
    """The statements for the raw tables of these topics in a dataset of BigQuery (PROJECT.DATASET).

    They name parameters, whose values are in the command of the comment at the top.
    """
    from infra.analytics.warehouse.bigquery_sql import deletion  # noqa: PLC0415 - needs its client

    flags = " ".join(f"--parameter={quote(_flag(*pair))}" for pair in parameters(erased).items())
    address = f"{dataset}.{{}}".format
    statements = [f"{deletion(table_of(topic), message_ids(topic), address)};" for topic in topics]
    return "\n".join([f"-- bq query --nouse_legacy_sql {flags} < FILE", *statements])


def _flag(name: str, value: Any) -> str:
    """A parameter as `bq query` takes it."""
    return f"{name}:TIMESTAMP:{rfc3339(value)}" if isinstance(value, datetime) else f"{name}:STRING:{value}"
