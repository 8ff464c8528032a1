-- description: What landed and cannot be parsed, of every topic. It is in no other typed model, and stops none.
-- materialized: view
-- unique: [topic, message_id, publish_time]
-- columns:
--   topic: The topic on which it was published.
--   message_id: Pub/Sub's id of the publication.
--   publish_time: When it reached Pub/Sub (UTC).
--   reason: "`not_json`: no JSON in UTF-8. `no_identity`: no `event_id` or `message_id`. `no_user`: no `user_id`,
--     as in JSON that is no object. `no_time`: no `occurred_at`, `decided_at` or `published_at` that is a time
--     with an offset."
--   publish_date: The day of `publish_time` (UTC); the partition.
SELECT topic, pubsub_message_id AS message_id, publish_time, reason, publish_date
FROM stg_publication
WHERE publish_date >= DATE '1990-01-01' AND reason IS NOT NULL
