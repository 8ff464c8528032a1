-- description: "Catalogs that went in force: each message once, by `message_id`, the first that landed."
-- materialized: incremental
-- partition: publish_date
-- unique: [message_id]
-- lookback: 0
-- require_partition_filter: true
-- columns:
--   message_id: "The id of the message: the same whenever it is delivered again."
--   catalog_version: The version of the catalog, which triggers, exposures and decisions name.
--   number: The number of the publication, which grows; null where publications have none.
--   published_at: When it went in force (UTC).
--   published_by: Who or what put it in force, such as `deploy` or `catalog publish by ada`; null if it did not say.
--   catalog: The whole document as functions read it, without the scores and policies that it names.
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
    WHERE told.topic = 'catalog-published' AND told.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'catalog-published' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY told.pubsub_message_id ORDER BY told.publish_time) = 1
  )
SELECT
  message_id, JSON_VALUE(message, '$.catalog_version') AS catalog_version,
  SAFE_CAST(JSON_VALUE(message, '$.number') AS INT64) AS number,
  SAFE_CAST(JSON_VALUE(message, '$.published_at') AS TIMESTAMP) AS published_at,
  JSON_VALUE(message, '$.published_by') AS published_by,
  JSON_QUERY(message, '$.catalog') AS catalog,
  message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
