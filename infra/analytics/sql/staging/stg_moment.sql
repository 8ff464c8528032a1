-- description: Moments as subscription changes told them, one row each time; `moments` has each once.
-- materialized: incremental
-- partition: publish_date
-- lookback: 0
-- require_partition_filter: true
-- cluster: [kind, user_id]
-- columns:
--   user_id: The user.
--   subscription_id: The subscription in whose life it occurred.
--   kind: The kind of moment.
--   at: When it occurred (UTC).
--   offset: The offset of a milestone, `3d` or `36h`; NULL for another moment.
--   cause: The id of this one occurrence.
--   decided_at: When Upbeat learned of it (UTC).
--   change_id: The change that told it.
--   sequence: The place of that change among the messages about the user.
--   publish_time: When the change reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  told AS (
    SELECT user_id, change_id, sequence, decided_at, publish_time, publish_date, moment
    FROM stg_subscription_change, UNNEST(JSON_QUERY_ARRAY(message, '$.moments')) AS moment
    WHERE publish_date >= @since
  )
SELECT
  user_id,
  JSON_VALUE(moment, '$.subscription_id') AS subscription_id,
  JSON_VALUE(moment, '$.kind') AS kind,
  SAFE_CAST(JSON_VALUE(moment, '$.at') AS TIMESTAMP) AS at,
  JSON_VALUE(moment, '$.offset') AS offset,
  JSON_VALUE(moment, '$.cause') AS cause,
  decided_at, change_id, sequence, publish_time, publish_date
FROM told
