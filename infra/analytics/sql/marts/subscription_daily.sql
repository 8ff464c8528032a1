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
  begun AS (
    SELECT user_id, subscription_id, MIN(first_day) AS first_day FROM changes GROUP BY user_id, subscription_id
  ),
  -- A subscription's row may change on each day on which any subscription of its user does.
  steps AS (
    SELECT
      of_user.user_id, begun.subscription_id, of_user.first_day, of_user.user_status, of_user.user_entitled,
      last_of_day.first_day IS NOT NULL AS is_own,
      MAX(last_of_day.first_day) OVER (
        PARTITION BY of_user.user_id, begun.subscription_id ORDER BY of_user.first_day
      ) AS told_on,
      LEAD(of_user.first_day) OVER (
        PARTITION BY of_user.user_id, begun.subscription_id ORDER BY of_user.first_day
      ) AS next_day
    FROM last_of_users_day AS of_user
    JOIN begun ON begun.user_id = of_user.user_id AND begun.first_day <= of_user.first_day
    LEFT JOIN last_of_day
      ON last_of_day.user_id = of_user.user_id AND last_of_day.subscription_id = begun.subscription_id
      AND last_of_day.first_day = of_user.first_day
  ),
  spans AS (
    SELECT
      steps.user_id, steps.subscription_id, steps.user_status, steps.user_entitled, steps.first_day,
      told.status, told.entitled, told.plan, told.auto_renew, told.period_end, told.store, told.period_amount,
      told.period_currency,
      IF(
        told.status IN ('expired', 'revoked', 'none'),
        steps.first_day,
        COALESCE(DATE_SUB(steps.next_day, INTERVAL 1 DAY), DATE(newest.as_of))
      ) AS last_day
    FROM steps
    JOIN last_of_day AS told
      ON told.user_id = steps.user_id AND told.subscription_id = steps.subscription_id
      AND told.first_day = steps.told_on
    CROSS JOIN newest
    WHERE steps.is_own OR told.status NOT IN ('expired', 'revoked', 'none')
  )
SELECT
  day, spans.user_id, spans.subscription_id, spans.status, spans.entitled, spans.plan, spans.auto_renew,
  spans.period_end, spans.user_status, spans.user_entitled, spans.store, spans.period_amount, spans.period_currency
FROM spans, UNNEST(GENERATE_DATE_ARRAY(GREATEST(spans.first_day, @since), spans.last_day)) AS day
