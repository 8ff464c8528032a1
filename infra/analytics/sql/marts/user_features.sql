-- description: "What is known of each user who ever had a subscription change, as of `newest.as_of`: a closed
--   list, for training and for the hot path. NULL means unknown."
-- materialized: table
-- unique: [user_id]
-- cluster: [user_id]
-- tests:
--   not_null: [as_of, status, entitled]
--   accepted_values:
--     status: [active, trialing, grace, paused, on_hold, pending, expired, revoked, none]
-- columns:
--   user_id: The user.
--   as_of: The instant as of which all features are true (UTC).
--   status: The user's status.
--   entitled: TRUE if the user has access.
--   plan: The plan of the subscription that determines the status; of several with that status, the one that ends
--     last.
--   auto_renew: TRUE if that subscription renews.
--   store: Its store.
--   period_amount: What its current period cost, in minor units.
--   period_currency: The currency of `period_amount`.
--   subscriptions: The number of subscriptions that the user ever had.
--   days_known: Days since the first subscription change.
--   days_to_period_end: Days until the paid period ends; below 0 if it has ended.
--   payments: Payments ever.
--   payments_90d: Payments of the last 90 days.
--   payments_failed_90d: Failed payments of the last 90 days.
--   refunds_365d: Refunds and lost disputes of the last 365 days.
--   days_since_paid: Days since the last payment.
--   renewals_365d: Renewals in the last 365 days.
--   auto_renew_offs_365d: Times that auto-renew went off in the last 365 days.
--   cancel_page_views_30d: Visits of the cancellation page in the last 30 days.
--   inactivity_signals_30d: Signals of inactivity in the last 30 days.
--   support_contacts_30d: Contacts with support in the last 30 days.
--   offers_90d: Offers issued in the last 90 days.
--   days_since_offer: Days since the last offer was issued.
--   offers_seen_90d: Offers first seen in the last 90 days.
--   offers_clicked_90d: Offers first clicked in the last 90 days.
--   offers_accepted_90d: Offers accepted in the last 90 days.
--   offers_dismissed_90d: Offers dismissed in the last 90 days.
WITH
  changes AS (
    SELECT
      user_id, subscription_id, sequence, decided_at, status, plan, auto_renew, store, period_end, period_amount,
      period_currency, user_status, user_entitled
    FROM stg_subscription_change
    WHERE publish_date >= DATE '1990-01-01'
  ),
  users AS (
    SELECT user_id, MIN(decided_at) AS first_at, COUNT(DISTINCT subscription_id) AS subscriptions
    FROM changes
    GROUP BY user_id
  ),
  now_of_users AS (
    SELECT user_id, user_status, user_entitled FROM changes
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY sequence DESC, decided_at DESC) = 1
  ),
  now_of_subscriptions AS (
    SELECT user_id, subscription_id, status, plan, auto_renew, store, period_end, period_amount, period_currency
    FROM changes
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (PARTITION BY user_id, subscription_id ORDER BY sequence DESC, decided_at DESC) = 1
  ),
  best AS (
    SELECT one.*, now_of_users.user_status, now_of_users.user_entitled
    FROM now_of_subscriptions AS one
    JOIN now_of_users ON now_of_users.user_id = one.user_id
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY one.user_id
      ORDER BY IF(one.status = now_of_users.user_status, 0, 1), one.period_end DESC, one.subscription_id
    ) = 1
  ),
  attempts AS (
    SELECT
      payment.user_id,
      COUNTIF(payment.outcome = 'failed') AS payments_failed_90d
    FROM stg_payment AS payment CROSS JOIN newest
    WHERE payment.publish_date >= DATE '1990-01-01' AND payment.rejected IS NULL
      AND payment.environment <> 'sandbox' AND payment.occurred_at > TIMESTAMP_SUB(newest.as_of, INTERVAL 90 DAY)
    GROUP BY payment.user_id
  ),
  paid AS (
    SELECT
      movement.user_id,
      COUNTIF(movement.kind = 'payment') AS payments,
      COUNTIF(movement.kind = 'payment' AND movement.at > TIMESTAMP_SUB(newest.as_of, INTERVAL 90 DAY)) AS payments_90d,
      COUNTIF(movement.kind = 'refund' AND movement.at > TIMESTAMP_SUB(newest.as_of, INTERVAL 365 DAY)) AS refunds_365d,
      MAX(IF(movement.kind = 'payment', movement.at, NULL)) AS last_paid_at
    FROM money_movements AS movement CROSS JOIN newest
    GROUP BY movement.user_id
  ),
  signalled AS (
    SELECT
      signal.user_id,
      COUNTIF(signal.signal = 'cancel_page_viewed') AS cancel_page_views_30d,
      COUNTIF(signal.signal = 'inactivity') AS inactivity_signals_30d,
      COUNTIF(signal.signal = 'support_contact') AS support_contacts_30d
    FROM stg_churn_signal AS signal CROSS JOIN newest
    WHERE signal.publish_date >= DATE '1990-01-01' AND signal.rejected IS NULL
      AND signal.environment <> 'sandbox' AND signal.occurred_at > TIMESTAMP_SUB(newest.as_of, INTERVAL 30 DAY)
    GROUP BY signal.user_id
  ),
  lived AS (
    SELECT
      moment.user_id,
      COUNTIF(moment.kind = 'renewed') AS renewals_365d,
      COUNTIF(moment.kind = 'auto_renew.off') AS auto_renew_offs_365d
    FROM moments AS moment CROSS JOIN newest
    WHERE moment.moment_date >= DATE '1990-01-01' AND moment.at > TIMESTAMP_SUB(newest.as_of, INTERVAL 365 DAY)
    GROUP BY moment.user_id
  ),
  offered AS (
    SELECT
      offer.user_id,
      COUNTIF(offer.decided_at > TIMESTAMP_SUB(newest.as_of, INTERVAL 90 DAY)) AS offers_90d,
      MAX(offer.decided_at) AS last_offer_at
    FROM stg_upsell_trigger AS offer CROSS JOIN newest
    WHERE offer.publish_date >= DATE '1990-01-01' AND offer.kind = 'issued'
    GROUP BY offer.user_id
  ),
  answered AS (
    SELECT
      answer.user_id,
      COUNTIF(answer.kind = 'impression') AS offers_seen_90d,
      COUNTIF(answer.kind = 'clicked') AS offers_clicked_90d,
      COUNTIF(answer.kind = 'accepted') AS offers_accepted_90d,
      COUNTIF(answer.kind = 'dismissed') AS offers_dismissed_90d
    FROM stg_exposure AS answer CROSS JOIN newest
    WHERE answer.publish_date >= DATE '1990-01-01' AND answer.kind <> 'suppressed'
      AND answer.occurred_at > TIMESTAMP_SUB(newest.as_of, INTERVAL 90 DAY)
    GROUP BY answer.user_id
  )
SELECT
  best.user_id, newest.as_of,
  best.user_status AS status, best.user_entitled AS entitled, best.plan, best.auto_renew, best.store,
  best.period_amount, best.period_currency,
  users.subscriptions,
  TIMESTAMP_DIFF(newest.as_of, users.first_at, MICROSECOND) / 86400000000 AS days_known,
  TIMESTAMP_DIFF(best.period_end, newest.as_of, MICROSECOND) / 86400000000 AS days_to_period_end,
  COALESCE(paid.payments, 0) AS payments,
  COALESCE(paid.payments_90d, 0) AS payments_90d,
  COALESCE(attempts.payments_failed_90d, 0) AS payments_failed_90d,
  COALESCE(paid.refunds_365d, 0) AS refunds_365d,
  TIMESTAMP_DIFF(newest.as_of, paid.last_paid_at, MICROSECOND) / 86400000000 AS days_since_paid,
  COALESCE(lived.renewals_365d, 0) AS renewals_365d,
  COALESCE(lived.auto_renew_offs_365d, 0) AS auto_renew_offs_365d,
  COALESCE(signalled.cancel_page_views_30d, 0) AS cancel_page_views_30d,
  COALESCE(signalled.inactivity_signals_30d, 0) AS inactivity_signals_30d,
  COALESCE(signalled.support_contacts_30d, 0) AS support_contacts_30d,
  COALESCE(offered.offers_90d, 0) AS offers_90d,
  TIMESTAMP_DIFF(newest.as_of, offered.last_offer_at, MICROSECOND) / 86400000000 AS days_since_offer,
  COALESCE(answered.offers_seen_90d, 0) AS offers_seen_90d,
  COALESCE(answered.offers_clicked_90d, 0) AS offers_clicked_90d,
  COALESCE(answered.offers_accepted_90d, 0) AS offers_accepted_90d,
  COALESCE(answered.offers_dismissed_90d, 0) AS offers_dismissed_90d
FROM best
CROSS JOIN newest
JOIN users ON users.user_id = best.user_id
LEFT JOIN attempts ON attempts.user_id = best.user_id
LEFT JOIN paid ON paid.user_id = best.user_id
LEFT JOIN signalled ON signalled.user_id = best.user_id
LEFT JOIN lived ON lived.user_id = best.user_id
LEFT JOIN offered ON offered.user_id = best.user_id
LEFT JOIN answered ON answered.user_id = best.user_id
