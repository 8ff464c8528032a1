-- description: Money in and out, by the payments that the functions took, of no sandbox. A payment that is told
--   twice, by its `payment_id` or by its period where an id lacks, counts once.
-- materialized: table
-- cluster: [user_id]
-- tests:
--   accepted_values:
--     kind: [payment, refund, reversal]
--   not_null: [at, amount, currency]
-- columns:
--   user_id: The user.
--   subscription_id: The subscription.
--   kind: "`payment`; `refund`: money that went back, by a refund or a lost dispute; `reversal`: a refund
--     reversed, or a lost dispute won after all. An open dispute moves nothing."
--   at: When it occurred, as reported (UTC).
--   currency: The currency (ISO 4217); `XXX`, which means none, for a refund of a payment that is not known.
--   amount: "Minor units: above 0 for what came in, below for what went back. A refund without an amount gives
--     back the rest of its payment."
--   plan: The plan of the payment.
--   trigger_id: The trigger that the payment names as what led to it.
--   campaign_id: The campaign of that trigger; NULL if no issued trigger has that id.
WITH
  reported AS (
    SELECT
      user_id, subscription_id, source, event_id, occurred_at, outcome, plan, amount, currency, payment_id,
      period_start, period_end, trigger_id, COALESCE(partial, FALSE) AS is_partial, event_order
    FROM stg_payment
    WHERE publish_date >= DATE '1990-01-01' AND rejected IS NULL AND environment <> 'sandbox'
  ),
  periods_with_ids AS (
    SELECT user_id, subscription_id, period_start, period_end, MIN(payment_id) AS payment_id
    FROM reported
    WHERE outcome = 'succeeded' AND payment_id IS NOT NULL
    GROUP BY user_id, subscription_id, period_start, period_end
  ),
  successes AS (
    SELECT
      told.user_id, told.subscription_id, told.source, told.event_id, told.occurred_at, told.plan, told.amount,
      told.currency, told.period_start, told.trigger_id,
      COALESCE(
        told.payment_id, periods_with_ids.payment_id,
        CONCAT(CAST(UNIX_MICROS(told.period_start) AS STRING), '-', CAST(UNIX_MICROS(told.period_end) AS STRING))
      ) AS payment
    FROM reported AS told
    LEFT JOIN periods_with_ids
      ON periods_with_ids.user_id = told.user_id AND periods_with_ids.subscription_id = told.subscription_id
      AND periods_with_ids.period_start = told.period_start AND periods_with_ids.period_end = told.period_end
    WHERE told.outcome = 'succeeded' AND told.amount IS NOT NULL AND told.currency IS NOT NULL
  ),
  payments AS (
    SELECT
      user_id, subscription_id, payment, plan, amount, currency, period_start,
      MIN(occurred_at) OVER (PARTITION BY user_id, subscription_id, payment) AS at,
      MAX(trigger_id) OVER (PARTITION BY user_id, subscription_id, payment) AS trigger_id
    FROM successes
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY user_id, subscription_id, payment
      ORDER BY IF(amount > 0, 0, 1), occurred_at DESC, source DESC, event_id DESC
    ) = 1
  ),
  by_start AS (
    SELECT user_id, subscription_id, period_start, MIN(payment) AS payment
    FROM payments
    GROUP BY user_id, subscription_id, period_start
  ),
  named AS (
    SELECT
      verdict.user_id, verdict.subscription_id, verdict.source, verdict.event_id, verdict.occurred_at,
      verdict.event_order, verdict.outcome, verdict.is_partial, verdict.plan, verdict.amount, verdict.currency,
      verdict.trigger_id,
      COALESCE(verdict.payment_id, by_start.payment, CAST(UNIX_MICROS(verdict.period_start) AS STRING), '') AS payment
    FROM reported AS verdict
    LEFT JOIN by_start
      ON by_start.user_id = verdict.user_id AND by_start.subscription_id = verdict.subscription_id
      AND by_start.period_start = verdict.period_start
    WHERE verdict.outcome IN ('refunded', 'refund_reversed', 'dispute_lost', 'dispute_won')
  ),
  verdicts AS (
    SELECT
      verdict.user_id, verdict.subscription_id, verdict.payment, verdict.source, verdict.event_id,
      verdict.occurred_at AS at, verdict.event_order, verdict.amount,
      verdict.outcome = 'refunded' AND verdict.is_partial AS is_partial,
      IF(verdict.outcome IN ('refunded', 'refund_reversed'), 'refund', 'dispute') AS line,
      verdict.outcome IN ('refunded', 'dispute_lost') AS is_gone,
      COALESCE(payment.amount, 0) AS paid,
      COALESCE(verdict.currency, payment.currency, 'XXX') AS currency,
      COALESCE(payment.plan, verdict.plan) AS plan,
      COALESCE(payment.trigger_id, verdict.trigger_id) AS trigger_id
    FROM named AS verdict
    LEFT JOIN payments AS payment
      ON payment.user_id = verdict.user_id AND payment.subscription_id = verdict.subscription_id
      AND payment.payment = verdict.payment
  ),
  priced AS (
    SELECT
      *,
      COALESCE(
        SUM(IF(is_partial, COALESCE(amount, 0), 0)) OVER (
          PARTITION BY user_id, subscription_id, payment, line ORDER BY at, event_order, source, event_id
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0
      ) AS refunded_before
    FROM verdicts
  ),
  whole_verdicts AS (
    SELECT
      user_id, subscription_id, payment, line, at, event_order, source, event_id, is_gone, currency, plan, trigger_id,
      COALESCE(amount, GREATEST(paid - refunded_before, 0)) AS amount,
      LAG(is_gone) OVER (
        PARTITION BY user_id, subscription_id, payment, line ORDER BY at, event_order, source, event_id
      ) AS was_gone,
      LAG(COALESCE(amount, GREATEST(paid - refunded_before, 0))) OVER (
        PARTITION BY user_id, subscription_id, payment, line ORDER BY at, event_order, source, event_id
      ) AS amount_before
    FROM priced
    WHERE NOT is_partial
  ),
  movements AS (
    SELECT user_id, subscription_id, 'payment' AS kind, at, currency, amount, plan, trigger_id FROM payments
    UNION ALL
    SELECT user_id, subscription_id, 'refund', at, currency, -COALESCE(amount, 0), plan, trigger_id FROM verdicts
    WHERE is_partial
    UNION ALL
    SELECT user_id, subscription_id, 'refund', at, currency, -amount, plan, trigger_id FROM whole_verdicts
    WHERE is_gone AND NOT COALESCE(was_gone, FALSE)
    UNION ALL
    SELECT user_id, subscription_id, 'reversal', at, currency, amount_before, plan, trigger_id FROM whole_verdicts
    WHERE NOT is_gone AND COALESCE(was_gone, FALSE)
  ),
  offers AS (
    SELECT trigger_id, MIN(campaign_id) AS campaign_id
    FROM stg_upsell_trigger
    WHERE publish_date >= DATE '1990-01-01' AND kind = 'issued'
    GROUP BY trigger_id
  )
SELECT
  movement.user_id, movement.subscription_id, movement.kind, movement.at, movement.currency, movement.amount,
  movement.plan, movement.trigger_id, offers.campaign_id
FROM movements AS movement
LEFT JOIN offers ON offers.trigger_id = movement.trigger_id
