-- description: Decisions, one row each; their candidates are in `stg_candidate`.
-- materialized: incremental
-- partition: publish_date
-- unique: [message_id]
-- lookback: 0
-- require_partition_filter: true
-- cluster: [user_id]
-- tests:
--   not_null: [user_id, decided_at]
--   accepted_values:
--     outcome: [issued, withheld]
-- columns:
--   message_id: "The id of the message: the same whenever it is delivered again."
--   user_id: The user whom the message is about.
--   sequence: "Grows with every message about the user: the message with the greater number is newer."
--   decided_at: When Upbeat processed the event (UTC).
--   decision_id: The id of the decision.
--   cause: The short id of the event that led to the decision.
--   catalog_version: The version of the catalog that was in force.
--   outcome: "`issued` if any candidate was issued, else `withheld`."
--   context: What the decision knew, by the names in the catalog.
--   event_topic: The topic of the event that led to the message.
--   event_source: That event's `source`.
--   event_id: That event's `event_id`.
--   message: The whole message, as JSON.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When that publication reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  arrived AS (
    SELECT
      told.message_id, told.user_id, told.sequence, told.decided_at, told.message, told.pubsub_message_id, told.publish_time
    FROM stg_outbound AS told
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = told.pubsub_message_id AND counted.publish_time = told.publish_time
    WHERE told.topic = 'decision' AND told.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'decision' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY told.pubsub_message_id ORDER BY told.publish_time) = 1
  )
SELECT
  message_id, user_id, sequence, decided_at,
  JSON_VALUE(message, '$.decision_id') AS decision_id,
  JSON_VALUE(message, '$.cause') AS cause,
  JSON_VALUE(message, '$.catalog_version') AS catalog_version,
  JSON_VALUE(message, '$.outcome') AS outcome,
  JSON_QUERY(message, '$.context') AS context,
  JSON_VALUE(message, '$.event.topic') AS event_topic,
  JSON_VALUE(message, '$.event.source') AS event_source,
  JSON_VALUE(message, '$.event.event_id') AS event_id,
  message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
