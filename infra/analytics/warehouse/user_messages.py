"""The messages about one user in the raw tables of a warehouse."""

from collections.abc import Iterator
from typing import Any

import orjson

from infra.analytics.warehouse.engine import Engine
from infra.analytics.warehouse.load import table_of
from infra.errors import UsageError
from infra.raw.line import Landed
from infra.raw.reader import about
from shared.contracts.inbound.envelope import EVENTS
from shared.contracts.topics import Topic
from shared.queries.past_log import ABOUT_USER, Logged

TOPICS = (*EVENTS, *ABOUT_USER, Topic.DEAD_LETTER.value)
"""The topics whose messages are about one user."""
QUERY = """
SELECT {topic} AS topic, subscription_name, message_id, publish_time, attributes, data
FROM (
  SELECT
    subscription_name, message_id, publish_time, attributes, data, text, message,
    SAFE_CONVERT_BYTES_TO_STRING(SAFE.FROM_BASE64(JSON_VALUE(message, '$.data_base64'))) AS held
  FROM (
    SELECT
      subscription_name, message_id, publish_time, attributes, data, text,
      SAFE.PARSE_JSON(text, wide_number_mode => 'round') AS message
    FROM (
      SELECT
        subscription_name, message_id, publish_time, attributes, data,
        SAFE_CONVERT_BYTES_TO_STRING(data) AS text
      FROM {table}
      WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    ) AS landed
  ) AS parsed
) AS opened
WHERE STRPOS(text, @quoted) > 0
  OR STRPOS(held, @quoted) > 0
  OR JSON_VALUE(message, '$.user_id') = @user
  OR JSON_VALUE(message, '$.data.user_id') = @user
  OR JSON_VALUE(SAFE.PARSE_JSON(held, wide_number_mode => 'round'), '$.user_id') = @user
"""
"""The messages of one topic that name the user: in their text, in a CloudEvent, or in what a dead letter holds."""


class UserMessages:
    """Reads a user's messages from the raw tables of an engine that exist; `topics` are those of the tables."""

    def __init__(self, engine: Engine) -> None:
        """Raises `UsageError` if the warehouse has no raw tables."""
        self._engine = engine
        there = engine.relations()
        self.topics = [topic for topic in TOPICS if table_of(topic) in there]
        if not self.topics:
            raise UsageError(f"expected a warehouse with raw tables ({table_of(TOPICS[0])} and so on), found none")

    def size(self, user_id: str) -> int:
        """The bytes that `read` scans."""
        inputs = [table_of(topic) for topic in self.topics]
        return self._engine.scanned(self._sql, inputs, **_parameters(user_id))

    def read(self, user_id: str) -> list[Logged]:
        """Every message that may be about the user, in the order of their publication."""
        return about(user_id, self._landed(user_id))

    @property
    def _sql(self) -> str:
        return " UNION ALL ".join(QUERY.format(topic=f"'{topic}'", table=table_of(topic)) for topic in self.topics)

    def _landed(self, user_id: str) -> Iterator[tuple[str, Landed]]:
        for row in self._engine.rows(self._sql, **_parameters(user_id)):
            topic = row.pop("topic")
            yield topic, Landed(**row | {"attributes": row["attributes"] or {}, "data": row["data"] or b""})


def _parameters(user_id: str) -> dict[str, Any]:
    return {"user": user_id, "quoted": orjson.dumps(user_id).decode()}
