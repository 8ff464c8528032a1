-- description: "Consumers' reports on offers: each event once, by `source` and `event_id`, the first that was not
--   rejected."
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
--   subscription_id: The id of the subscription the event is about.
--   occurred_at: The time the event happened, not the time it was published; at most 5 minutes ahead of Upbeat's
--     clock.
--   event_order: The sender's order among its events of one instant; 0 where none is given.
--   trigger_id: The `trigger_id` of the `upsell-trigger` message.
--   kind: What happened to the offer.
--   environment: "`production` or `sandbox`; NULL in the event counts as production."
--   rejected: Why the functions rejected the event, as its dead letter says; NULL if they took it.
--   message: The whole message, as JSON.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When that publication reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  arrived AS (
    SELECT
      event.source, event.event_id, event.user_id, event.subscription_id, event.occurred_at, event.message,
      event.pubsub_message_id, event.publish_time, counted.rejected
    FROM stg_inbound AS event
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = event.pubsub_message_id AND counted.publish_time = event.publish_time
    WHERE event.topic = 'trigger-feedback' AND event.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'trigger-feedback' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event.pubsub_message_id ORDER BY event.publish_time) = 1
  )
SELECT
  source, event_id, user_id, subscription_id, occurred_at,
  COALESCE(SAFE_CAST(JSON_VALUE(message, '$.order') AS INT64), 0) AS event_order,
  JSON_VALUE(message, '$.trigger_id') AS trigger_id,
  JSON_VALUE(message, '$.kind') AS kind,
  COALESCE(JSON_VALUE(message, '$.environment'), 'production') AS environment,
  rejected, message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
