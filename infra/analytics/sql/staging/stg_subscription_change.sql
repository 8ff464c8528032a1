-- description: "Changes and moments of subscriptions: each message once, by `message_id`, the first that landed."
-- materialized: incremental
-- partition: publish_date
-- unique: [message_id]
-- lookback: 0
-- require_partition_filter: true
-- cluster: [user_id]
-- tests:
--   not_null: [user_id, decided_at]
-- columns:
--   message_id: "The id of the message: the same whenever it is delivered again."
--   user_id: The user whom the message is about.
--   sequence: "Grows with every message about the user: the message with the greater number is newer."
--   decided_at: When Upbeat processed the event (UTC).
--   change_id: The id of the change.
--   subscription_id: The subscription that changed.
--   user_status: "The user's status after the change: that of the best of the user's subscriptions."
--   user_entitled: True while the user has access, by whichever subscription.
--   cause: The short id of the event that led to the change.
--   status: The status of the subscription after the change.
--   entitled: True while this subscription gives access.
--   plan: The current plan.
--   period_start: The start of the paid period (UTC).
--   period_end: The end of the paid period (UTC).
--   trial_ends_at: The end of the trial (UTC).
--   auto_renew: True if it renews at the end of the period.
--   auto_renew_reason: Why auto-renew was turned off, as reported.
--   grace_until: The end of the grace period (UTC).
--   resume_at: When a paused subscription resumes (UTC).
--   cancel_at: When a scheduled cancellation takes effect (UTC).
--   scheduled_plan: The plan to which a scheduled change leads.
--   price_consent: "The user's answer to a price increase: `pending`, `accepted` or `declined`."
--   reason_code: Why auto-renew was turned off or the subscription cancelled, from a closed list.
--   store: The store of the purchase, as reported.
--   product_id: The store's id of the product, as reported.
--   ownership: How the user came by it, as reported.
--   quantity: The number of units bought, as reported.
--   current_price: The price per period in whole minor units of `currency`, as reported.
--   currency: The currency of `current_price` (ISO 4217).
--   period_amount: The amount of the payment that grants the current period, in whole minor units of
--     `period_currency`; 0 for one that cost nothing.
--   period_currency: The currency of `period_amount` (ISO 4217).
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
      told.message_id, told.user_id, told.sequence, told.decided_at, told.message, told.pubsub_message_id, told.publish_time,
      JSON_QUERY(told.message, '$.facts') AS facts
    FROM stg_outbound AS told
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = told.pubsub_message_id AND counted.publish_time = told.publish_time
    WHERE told.topic = 'subscription-change' AND told.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'subscription-change' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY told.pubsub_message_id ORDER BY told.publish_time) = 1
  )
SELECT
  message_id, user_id, sequence, decided_at,
  JSON_VALUE(message, '$.change_id') AS change_id,
  JSON_VALUE(message, '$.subscription_id') AS subscription_id,
  JSON_VALUE(message, '$.user_status') AS user_status,
  SAFE_CAST(JSON_VALUE(message, '$.user_entitled') AS BOOL) AS user_entitled,
  JSON_VALUE(message, '$.cause') AS cause,
  COALESCE(JSON_VALUE(facts, '$.status'), JSON_VALUE(message, '$.after.status')) AS status,
  SAFE_CAST(COALESCE(JSON_VALUE(facts, '$.entitled'), JSON_VALUE(message, '$.after.entitled')) AS BOOL) AS entitled,
  JSON_VALUE(facts, '$.plan') AS plan,
  SAFE_CAST(JSON_VALUE(facts, '$.period_start') AS TIMESTAMP) AS period_start,
  SAFE_CAST(JSON_VALUE(facts, '$.period_end') AS TIMESTAMP) AS period_end,
  SAFE_CAST(JSON_VALUE(facts, '$.trial_ends_at') AS TIMESTAMP) AS trial_ends_at,
  SAFE_CAST(JSON_VALUE(facts, '$.auto_renew') AS BOOL) AS auto_renew,
  JSON_VALUE(facts, '$.auto_renew_reason') AS auto_renew_reason,
  SAFE_CAST(JSON_VALUE(facts, '$.grace_until') AS TIMESTAMP) AS grace_until,
  SAFE_CAST(JSON_VALUE(facts, '$.resume_at') AS TIMESTAMP) AS resume_at,
  SAFE_CAST(JSON_VALUE(facts, '$.cancel_at') AS TIMESTAMP) AS cancel_at,
  JSON_VALUE(facts, '$.scheduled_plan') AS scheduled_plan,
  JSON_VALUE(facts, '$.price_consent') AS price_consent,
  JSON_VALUE(facts, '$.reason_code') AS reason_code,
  JSON_VALUE(facts, '$.store') AS store,
  JSON_VALUE(facts, '$.product_id') AS product_id,
  JSON_VALUE(facts, '$.ownership') AS ownership,
  SAFE_CAST(JSON_VALUE(facts, '$.quantity') AS INT64) AS quantity,
  SAFE_CAST(JSON_VALUE(facts, '$.current_price') AS INT64) AS current_price,
  JSON_VALUE(facts, '$.currency') AS currency,
  SAFE_CAST(JSON_VALUE(facts, '$.period_amount') AS INT64) AS period_amount,
  JSON_VALUE(facts, '$.period_currency') AS period_currency,
  JSON_VALUE(message, '$.event.topic') AS event_topic,
  JSON_VALUE(message, '$.event.source') AS event_source,
  JSON_VALUE(message, '$.event.event_id') AS event_id,
  message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
