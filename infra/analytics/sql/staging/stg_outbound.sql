-- description: "Messages that Upbeat published, as they landed, each publication a row: what the `stg_` models of
--   the outgoing topics have in common."
-- materialized: view
-- columns:
--   topic: The topic on which it was published.
--   message_id: "Our own `message_id`, of the body or else of the attributes: the same whenever it is published
--     again."
--   user_id: The user whom the message is about; NULL on `dead-letter` and `catalog-published`.
--   sequence: Grows with every message about the user.
--   decided_at: When Upbeat processed the event (UTC); on `catalog-published` the `published_at`.
--   message: The message, as JSON.
--   reason: "Why it cannot be parsed: `not_json`, `no_identity`, `no_user` or `no_time`; NULL if it can."
--   pubsub_message_id: Pub/Sub's id of the publication.
--   publish_time: When it reached Pub/Sub (UTC).
WITH
  landed AS (
    SELECT 'upsell-trigger' AS topic, message_id, publish_time, attributes, data FROM raw_upsell_trigger
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'subscription-change', message_id, publish_time, attributes, data FROM raw_subscription_change
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'decision', message_id, publish_time, attributes, data FROM raw_decision
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'exposure', message_id, publish_time, attributes, data FROM raw_exposure
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'dead-letter', message_id, publish_time, attributes, data FROM raw_dead_letter
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
    UNION ALL
    SELECT 'catalog-published', message_id, publish_time, attributes, data FROM raw_catalog_published
    WHERE publish_time >= TIMESTAMP '1990-01-01 00:00:00+00'
  ),
  read_as_json AS (
    SELECT
      topic, message_id, publish_time, attributes,
      SAFE.PARSE_JSON(SAFE_CONVERT_BYTES_TO_STRING(data), wide_number_mode => 'round') AS message
    FROM landed
  ),
  identified AS (
    SELECT
      topic, message_id, publish_time, message,
      COALESCE(JSON_VALUE(message, '$.message_id'), JSON_VALUE(attributes, '$.message_id')) AS own_id,
      JSON_VALUE(message, '$.user_id') AS user_id,
      SAFE_CAST(JSON_VALUE(message, '$.sequence') AS INT64) AS sequence,
      SAFE_CAST(
        CASE topic
          WHEN 'catalog-published' THEN JSON_VALUE(message, '$.published_at')
          ELSE JSON_VALUE(message, '$.decided_at')
        END AS TIMESTAMP
      ) AS decided_at
    FROM read_as_json
  )
SELECT
  topic, own_id AS message_id, user_id, sequence, decided_at, message,
  CASE
    WHEN message IS NULL THEN 'not_json'
    WHEN own_id IS NULL THEN 'no_identity'
    WHEN topic NOT IN ('dead-letter', 'catalog-published') AND user_id IS NULL THEN 'no_user'
    WHEN topic <> 'dead-letter' AND decided_at IS NULL THEN 'no_time'
  END AS reason,
  message_id AS pubsub_message_id,
  publish_time
FROM identified
