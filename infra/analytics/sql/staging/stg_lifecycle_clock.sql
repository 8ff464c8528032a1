-- description: The scheduler's ticks, each once by Pub/Sub's id, since a tick has no identity of its own.
-- materialized: incremental
-- partition: publish_date
-- unique: [pubsub_message_id]
-- lookback: 0
-- require_partition_filter: true
-- columns:
--   tick_id: The id under which a continued tick holds its shards; NULL for the scheduler's own.
--   shards: The shards that the tick is for, joined by commas; NULL stands for all.
--   message: The whole message, as JSON; an empty one counts as `{}`.
--   pubsub_message_id: Pub/Sub's id of the tick.
--   publish_time: When it reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  read_as_json AS (
    SELECT
      message_id AS pubsub_message_id, publish_time,
      SAFE.PARSE_JSON(
        COALESCE(NULLIF(SAFE_CONVERT_BYTES_TO_STRING(data), ''), IF(data IS NULL OR LENGTH(data) = 0, '{}', NULL)), wide_number_mode => 'round'
      ) AS message
    FROM raw_lifecycle_clock
    WHERE publish_time >= TIMESTAMP(@since)
  )
SELECT
  JSON_VALUE(message, '$.tick_id') AS tick_id,
  ARRAY_TO_STRING(JSON_VALUE_ARRAY(message, '$.shards'), ',') AS shards,
  message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM read_as_json
WHERE message IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY pubsub_message_id ORDER BY publish_time) = 1
