-- description: "The state of every subscription at the end of each day (UTC), as Upbeat knew it then: what arrived
--   later changes no earlier day. A subscription that ended has a row for the day on which it ended, or changed
--   afterwards, and none for the days without a change."
-- materialized: incremental
-- partition: day
-- unique: [day, user_id, subscription_id]
-- lookback: 14
-- require_partition_filter: true
-- cluster: [user_id]
-- tests:
--   accepted_values:
--     status: [active, trialing, grace, paused, on_hold, pending, expired, revoked, none]
--     user_status: [active, trialing, grace, paused, on_hold, pending, expired, revoked, none]
--   not_null: [entitled, user_entitled]
-- columns:
--   day: "The day (UTC); the partition. The last one is not over yet: its rows say what is known so far."
--   user_id: The user.
--   subscription_id: The subscription.
--   status: The subscription's own status at the end of the day.
--   entitled: TRUE if this subscription gave access.
--   plan: The plan.
--   auto_renew: TRUE if it would renew.
--   period_end: The end of the paid period (UTC).
--   user_status: "The user's status: that of the best of the user's subscriptions."
--   user_entitled: TRUE if the user had access by any subscription.
--   store: The store of the purchase, as reported.
--   period_amount: What the payment cost that granted the period, in minor units.
--   period_currency: The currency of `period_amount`.
WITH
  changes AS (
    SELECT
      user_id, subscription_id, decided_at, sequence, status, entitled, plan, auto_renew, period_end, store,
      period_amount, period_currency, user_status, user_entitled, DATE(decided_at) AS first_day
    FROM stg_subscription_change
    WHERE publish_date >= DATE '1990-01-01'
  ),
  last_of_day AS (
    SELECT * FROM changes
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY user_id, subscription_id, first_day ORDER BY sequence DESC, decided_at DESC
    ) = 1
  ),
  last_of_users_day AS (
    SELECT user_id, user_status, user_entitled, first_day FROM changes
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (PARTITION BY user_id, first_day ORDER BY sequence DESC, decided_at DESC) = 1
  ),
  spans AS (
    SELECT
      last_of_day.* EXCEPT (user_status, user_entitled, decided_at, sequence),
      CASE
        WHEN status IN ('expired', 'revoked', 'none') THEN first_day
        ELSE DATE_SUB(
          COALESCE(
            LEAD(first_day) OVER (PARTITION BY user_id, subscription_id ORDER BY first_day),
            DATE_ADD(DATE(newest.as_of), INTERVAL 1 DAY)
          ),
          INTERVAL 1 DAY
        )
      END AS last_day
    FROM last_of_day CROSS JOIN newest
  ),
  user_spans AS (
    SELECT
      user_id, user_status, user_entitled, first_day,
      DATE_SUB(
        COALESCE(
          LEAD(first_day) OVER (PARTITION BY user_id ORDER BY first_day),
          DATE_ADD(DATE(newest.as_of), INTERVAL 1 DAY)
        ),
        INTERVAL 1 DAY
      ) AS last_day
    FROM last_of_users_day CROSS JOIN newest
  ),
  subscription_days AS (
    SELECT spans.*, day
    FROM spans, UNNEST(GENERATE_DATE_ARRAY(GREATEST(spans.first_day, @since), spans.last_day)) AS day
  ),
  user_days AS (
    SELECT user_spans.*, day
    FROM user_spans, UNNEST(GENERATE_DATE_ARRAY(GREATEST(user_spans.first_day, @since), user_spans.last_day)) AS day
  )
SELECT
  subscription_days.day, subscription_days.user_id, subscription_days.subscription_id, subscription_days.status,
  subscription_days.entitled, subscription_days.plan, subscription_days.auto_renew, subscription_days.period_end,
  user_days.user_status, user_days.user_entitled, subscription_days.store, subscription_days.period_amount,
  subscription_days.period_currency
FROM subscription_days
JOIN user_days ON user_days.user_id = subscription_days.user_id AND user_days.day = subscription_days.day
