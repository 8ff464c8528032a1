-- description: "Of all publications of one identity, the one that counts: the first that was not rejected, else
--   the first. The `stg_` models take their rows by it."
-- materialized: view
-- unique: [topic, source, identity]
-- columns:
--   topic: The topic.
--   source: The event's `source`; empty where there is none, and for messages of Upbeat.
--   identity: The event's `event_id`, or our own `message_id`.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When it reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC).
--   rejected: Why the functions rejected it; NULL if they took it.
SELECT
  publication.topic, publication.source, publication.identity, publication.pubsub_message_id,
  publication.publish_time, publication.publish_date, letter.rejected
FROM stg_publication AS publication
LEFT JOIN stg_rejected AS letter
  ON letter.topic = publication.topic AND letter.pubsub_message_id = publication.pubsub_message_id
WHERE publication.publish_date >= DATE '1990-01-01' AND publication.reason IS NULL
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY publication.topic, publication.source, publication.identity
  ORDER BY IF(letter.rejected IS NULL, 0, 1), publication.publish_time, LENGTH(publication.pubsub_message_id),
    publication.pubsub_message_id
) = 1
