-- description: "Events as they landed, each publication a row, taken out of their CloudEvents: what the `stg_`
--   models of the six inbound topics of events have in common."
-- materialized: view
-- columns:
--   topic: The topic on which it was published.
--   source: The event's `source`, else the CloudEvent's; empty where neither has one.
--   event_id: The event's `event_id`, else the CloudEvent's `id`.
--   user_id: The user whom the event is about.
--   subscription_id: The subscription; `main` where the event names none.
--   occurred_at: The event's `occurred_at`, else the CloudEvent's `time` (UTC, to the microsecond). A time without
--     an offset is none.
--   message: The event itself, as JSON.
--   reason: "Why it cannot be parsed: `not_json`, `no_identity`, `no_user` or `no_time`; NULL if it can."
--   pubsub_message_id: Pub/Sub's id of the publication.
--   publish_time: When it reached Pub/Sub (UTC).
WITH
  landed AS (
    SELECT 'trial-start' AS topic, message_id, publish_time, attributes, data FROM raw_trial_start
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'payment', message_id, publish_time, attributes, data FROM raw_payment
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'churn-signal', message_id, publish_time, attributes, data FROM raw_churn_signal
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'trigger-feedback', message_id, publish_time, attributes, data FROM raw_trigger_feedback
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'user-erasure', message_id, publish_time, attributes, data FROM raw_user_erasure
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'lifecycle-due', message_id, publish_time, attributes, data FROM raw_lifecycle_due
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
  ),
  read_as_json AS (
    SELECT
      topic, message_id, publish_time, attributes,
      SAFE.PARSE_JSON(SAFE_CONVERT_BYTES_TO_STRING(data), wide_number_mode => 'round') AS content
    FROM landed
  ),
  of_a_mode AS (
    SELECT
      topic, message_id, publish_time, attributes, content,
      CASE
        WHEN JSON_QUERY(content, '$.specversion') IS NOT NULL THEN 'structured'
        WHEN STARTS_WITH(JSON_VALUE(attributes, '$."content-type"'), 'application/cloudevents') THEN 'structured'
        WHEN JSON_VALUE(attributes, '$."ce-id"') IS NOT NULL THEN 'binary'
        ELSE 'plain'
      END AS mode
    FROM read_as_json
  ),
  decoded AS (
    SELECT
      topic, message_id, publish_time, attributes, content, mode,
      IF(
        mode = 'structured',
        SAFE_CONVERT_BYTES_TO_STRING(SAFE.FROM_BASE64(JSON_VALUE(content, '$.data_base64'))),
        NULL
      ) AS text
    FROM of_a_mode
  ),
  unwrapped AS (
    SELECT
      topic, message_id, publish_time, content,
      CASE
        WHEN mode <> 'structured' THEN content
        WHEN JSON_VALUE(content, '$.data.user_id') IS NOT NULL THEN JSON_QUERY(content, '$.data')
        ELSE SAFE.PARSE_JSON(text, wide_number_mode => 'round')
      END AS event,
      CASE mode
        WHEN 'structured' THEN JSON_VALUE(content, '$.id')
        WHEN 'binary' THEN JSON_VALUE(attributes, '$."ce-id"')
      END AS ce_id,
      CASE mode
        WHEN 'structured' THEN JSON_VALUE(content, '$.source')
        WHEN 'binary' THEN JSON_VALUE(attributes, '$."ce-source"')
      END AS ce_source,
      CASE mode
        WHEN 'structured' THEN JSON_VALUE(content, '$.time')
        WHEN 'binary' THEN JSON_VALUE(attributes, '$."ce-time"')
      END AS ce_time
    FROM decoded
  ),
  identified AS (
    SELECT
      topic, message_id, publish_time, content, event,
      COALESCE(JSON_VALUE(event, '$.source'), ce_source, '') AS source,
      COALESCE(JSON_VALUE(event, '$.event_id'), ce_id) AS event_id,
      JSON_VALUE(event, '$.user_id') AS user_id,
      COALESCE(JSON_VALUE(event, '$.subscription_id'), 'main') AS subscription_id,
      UPPER(COALESCE(JSON_VALUE(event, '$.occurred_at'), ce_time)) AS occurred
    FROM unwrapped
  ),
  timed AS (
    SELECT
      topic, message_id, publish_time, content, event, source, event_id, user_id, subscription_id,
      CASE
        WHEN REGEXP_CONTAINS(occurred, r'T.*(Z|[+-][0-9]{2}:[0-9]{2})$')
        THEN SAFE_CAST(REGEXP_REPLACE(occurred, r'(\.[0-9]{6})[0-9]+', r'\1') AS TIMESTAMP)
      END AS occurred_at
    FROM identified
  )
SELECT
  topic, source, event_id, user_id, subscription_id, occurred_at, event AS message,
  CASE
    WHEN content IS NULL THEN 'not_json'
    WHEN event_id IS NULL THEN 'no_identity'
    WHEN user_id IS NULL THEN 'no_user'
    WHEN occurred_at IS NULL THEN 'no_time'
  END AS reason,
  message_id AS pubsub_message_id,
  publish_time
FROM timed
