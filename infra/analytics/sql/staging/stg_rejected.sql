-- description: "Publications of events that the functions rejected, by Pub/Sub's id. Not `stg_dead_letter`: an
--   event that was published twice and rejected twice is one letter, and two rows here."
-- materialized: view
-- unique: [topic, pubsub_message_id]
-- columns:
--   topic: The topic of the rejected event.
--   pubsub_message_id: Pub/Sub's id of the rejected publication.
--   rejected: The reason, a code from a closed list.
--   rejected_at: When its first dead letter reached Pub/Sub (UTC).
WITH
  letters AS (
    SELECT
      JSON_VALUE(message, '$.topic') AS rejected_topic,
      JSON_VALUE(message, '$.pubsub_message_id') AS rejected_message_id,
      JSON_VALUE(message, '$.reason') AS rejection,
      publish_time
    FROM stg_outbound
    WHERE topic = 'dead-letter'
  )
SELECT
  rejected_topic AS topic, rejected_message_id AS pubsub_message_id, MIN(rejection) AS rejected,
  MIN(publish_time) AS rejected_at
FROM letters
WHERE rejected_topic IS NOT NULL AND rejected_message_id IS NOT NULL
GROUP BY rejected_topic, rejected_message_id
