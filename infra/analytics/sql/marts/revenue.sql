-- description: "Payments and refunds by day, currency, plan and the campaign that led to them: small, for
--   dashboards."
-- materialized: table
-- unique: [day, currency, plan, campaign_id]
-- columns:
--   day: The day (UTC) on which the payment or the refund occurred.
--   currency: The currency; `XXX` for refunds of payments that are not known.
--   plan: The plan of the payment.
--   campaign_id: The campaign of the trigger that the payment names; NULL if it names none that was issued.
--   payments: The number of payments.
--   amount: What they came to, in minor units.
--   refunds: The number of refunds and lost disputes.
--   refunded_amount: "What went back, in minor units, less what reversals brought in again: below 0 on a day of
--     reversals."
SELECT
  DATE(at) AS day, currency, plan, campaign_id,
  COUNTIF(kind = 'payment') AS payments,
  SUM(IF(kind = 'payment', amount, 0)) AS amount,
  COUNTIF(kind = 'refund') AS refunds,
  SUM(IF(kind = 'payment', 0, -amount)) AS refunded_amount
FROM money_movements
GROUP BY day, currency, plan, campaign_id
