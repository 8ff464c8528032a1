-- description: "Messages that can never be processed: each message once, by `message_id`, the first that landed."
-- materialized: incremental
-- partition: publish_date
-- unique: [message_id]
-- lookback: 0
-- require_partition_filter: true
-- columns:
--   message_id: "The id of the message: the same whenever it is delivered again."
--   dead_letter_id: "The id of the dead letter: the same whenever the same message is rejected again."
--   rejected: The reason of the rejection, a code from a closed list.
--   detail: The reason in words for the producer.
--   topic: The topic of the rejected message.
--   rejected_message_id: Pub/Sub's id of the rejected message; a message rejected twice is one letter, and
--     `stg_rejected` knows both ids.
--   message: The whole message, as JSON.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When that publication reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  arrived AS (
    SELECT
      told.message_id, told.message, told.pubsub_message_id, told.publish_time
    FROM stg_outbound AS told
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = told.pubsub_message_id AND counted.publish_time = told.publish_time
    WHERE told.topic = 'dead-letter' AND told.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'dead-letter' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY told.pubsub_message_id ORDER BY told.publish_time) = 1
  )
SELECT
  message_id, JSON_VALUE(message, '$.dead_letter_id') AS dead_letter_id,
  JSON_VALUE(message, '$.reason') AS rejected,
  JSON_VALUE(message, '$.detail') AS detail,
  JSON_VALUE(message, '$.topic') AS topic,
  JSON_VALUE(message, '$.pubsub_message_id') AS rejected_message_id,
  message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
