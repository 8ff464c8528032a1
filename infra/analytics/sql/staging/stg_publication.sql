-- description: "Every publication that landed, with the identity of what it says: narrow, so that finding the
--   first of an identity never reads a body again."
-- materialized: incremental
-- partition: publish_date
-- unique: [topic, pubsub_message_id, publish_time]
-- lookback: 0
-- require_partition_filter: true
-- cluster: [topic]
-- tests:
--   accepted_values:
--     topic: [trial-start, payment, churn-signal, trigger-feedback, user-erasure, lifecycle-due, lifecycle-clock,
--       upsell-trigger, subscription-change, decision, exposure, dead-letter, catalog-published]
--     reason: [not_json, no_identity, no_user, no_time]
--   fresh: {column: publish_time, hours: 26}
--   volume: {days: 7, least: 0.2, most: 5}
-- columns:
--   topic: The topic.
--   source: The event's `source`; empty where there is none, and for messages of Upbeat.
--   identity: The event's `event_id`, or our own `message_id`; of a tick Pub/Sub's id.
--   reason: "Why it cannot be parsed; NULL if it can. `not_json`: no JSON in UTF-8. `no_identity`: no `event_id`
--     or `message_id`. `no_user`: no `user_id`, as in JSON that is no object. `no_time`: no `occurred_at`,
--     `decided_at` or `published_at` that is a time with an offset."
--   pubsub_message_id: Pub/Sub's id of the publication.
--   publish_time: When it reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  ticks AS (
    SELECT
      message_id AS pubsub_message_id, publish_time,
      SAFE.PARSE_JSON(
        COALESCE(NULLIF(SAFE_CONVERT_BYTES_TO_STRING(data), ''), IF(data IS NULL OR LENGTH(data) = 0, '{}', NULL)),
        wide_number_mode => 'round'
      ) AS message
    FROM raw_lifecycle_clock
    WHERE publish_time >= TIMESTAMP(@since)
  ),
  all_topics AS (
    SELECT topic, source, event_id AS identity, reason, pubsub_message_id, publish_time FROM stg_inbound
    UNION ALL
    SELECT topic, '', message_id, reason, pubsub_message_id, publish_time FROM stg_outbound
    UNION ALL
    SELECT
      'lifecycle-clock', '', pubsub_message_id, IF(message IS NULL, 'not_json', NULL), pubsub_message_id, publish_time
    FROM ticks
  )
SELECT DISTINCT
  topic, source, identity, reason, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM all_topics
WHERE publish_time >= TIMESTAMP(@since)
