-- description: "Erasures of users: each event once, by `source` and `event_id`, the first that was not rejected. The
--   statements that erase a user take these rows, too."
-- materialized: incremental
-- partition: publish_date
-- unique: [source, event_id]
-- lookback: 2
-- require_partition_filter: true
-- cluster: [event_id]
-- tests:
--   not_null: [user_id, occurred_at]
-- columns:
--   source: The system that reports the event, a part of its identity; empty where it is left out.
--   event_id: The event's id, unique within its topic and `source`.
--   user_id: The id of the user the event is about, the same on every topic.
--   occurred_at: The instant up to which everything about the user goes (UTC).
--   environment: "`production` or `sandbox`; NULL in the event counts as production."
--   rejected: Why the functions rejected the event, as its dead letter says; NULL if they took it.
--   message: The whole message, as JSON.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When that publication reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  arrived AS (
    SELECT
      event.source, event.event_id, event.user_id, event.occurred_at, event.message, event.pubsub_message_id,
      event.publish_time, counted.rejected
    FROM stg_inbound AS event
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = event.pubsub_message_id AND counted.publish_time = event.publish_time
    WHERE event.topic = 'user-erasure' AND event.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'user-erasure' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event.pubsub_message_id ORDER BY event.publish_time) = 1
  )
SELECT
  source, event_id, user_id, occurred_at,
  COALESCE(JSON_VALUE(message, '$.environment'), 'production') AS environment,
  rejected, message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
