-- description: "Trials that began: each event once, by `source` and `event_id`, the first that was not rejected."
-- materialized: incremental
-- partition: publish_date
-- unique: [source, event_id]
-- lookback: 2
-- require_partition_filter: true
-- cluster: [event_id]
-- tests:
--   not_null: [user_id, occurred_at]
-- columns:
--   source: The system that reports the event, a part of its identity; empty where it is left out.
--   event_id: The event's id, unique within its topic and `source`.
--   user_id: The id of the user the event is about, the same on every topic.
--   subscription_id: The id of the subscription the event is about.
--   occurred_at: The time the event happened, not the time it was published; at most 5 minutes ahead of Upbeat's
--     clock.
--   event_order: The sender's order among its events of one instant; 0 where none is given.
--   plan: The plan on trial, by the name that your billing system uses.
--   trial_ends_at: The time the trial ends, later than `occurred_at`.
--   auto_renew: True if the plan renews as a paid subscription when the trial ends; if false, the subscription
--     expires then unless a payment succeeds.
--   price: The price of the plan per period after the trial, in whole minor units of `currency` (1099 is 10.99
--     EUR).
--   currency: The currency of `price` as an ISO 4217 code in capitals, for example `EUR`.
--   store: The store or the payment provider that sold the subscription, for example `app_store`, `play_store` or
--     `stripe`.
--   product_id: The store's id of the product, for example `com.example.premium.monthly`.
--   ownership: "How the user came by the subscription: `purchased` by the user, shared by a `family`, granted as
--     `promotional`, or a `seat` that an organisation pays for."
--   quantity: The number of units bought, for example of seats.
--   trigger_id: The `trigger_id` of the offer that led to the purchase, if you know it.
--   offer_ref: The offer that was redeemed, as the store or the checkout names it, such as a coupon.
--   environment: "`production` or `sandbox`; NULL in the event counts as production."
--   rejected: Why the functions rejected the event, as its dead letter says; NULL if they took it.
--   message: The whole message, as JSON.
--   pubsub_message_id: Pub/Sub's id of the publication that counts.
--   publish_time: When that publication reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  arrived AS (
    SELECT
      event.source, event.event_id, event.user_id, event.subscription_id, event.occurred_at, event.message,
      event.pubsub_message_id, event.publish_time, counted.rejected
    FROM stg_inbound AS event
    JOIN stg_counted AS counted
      ON counted.pubsub_message_id = event.pubsub_message_id AND counted.publish_time = event.publish_time
    WHERE event.topic = 'trial-start' AND event.publish_time >= TIMESTAMP(@since)
      AND counted.topic = 'trial-start' AND counted.publish_date >= @since
    QUALIFY ROW_NUMBER() OVER (PARTITION BY event.pubsub_message_id ORDER BY event.publish_time) = 1
  )
SELECT
  source, event_id, user_id, subscription_id, occurred_at,
  COALESCE(SAFE_CAST(JSON_VALUE(message, '$.order') AS INT64), 0) AS event_order,
  JSON_VALUE(message, '$.plan') AS plan,
  SAFE_CAST(JSON_VALUE(message, '$.trial_ends_at') AS TIMESTAMP) AS trial_ends_at,
  SAFE_CAST(JSON_VALUE(message, '$.auto_renew') AS BOOL) AS auto_renew,
  SAFE_CAST(JSON_VALUE(message, '$.price') AS INT64) AS price,
  JSON_VALUE(message, '$.currency') AS currency,
  JSON_VALUE(message, '$.store') AS store,
  JSON_VALUE(message, '$.product_id') AS product_id,
  JSON_VALUE(message, '$.ownership') AS ownership,
  SAFE_CAST(JSON_VALUE(message, '$.quantity') AS INT64) AS quantity,
  JSON_VALUE(message, '$.trigger_id') AS trigger_id,
  JSON_VALUE(message, '$.offer_ref') AS offer_ref,
  COALESCE(JSON_VALUE(message, '$.environment'), 'production') AS environment,
  rejected, message, pubsub_message_id, publish_time, DATE(publish_time) AS publish_date
FROM arrived
