-- description: "What became of each exposed unit: one row for each metric and window, also where nothing happened.
--   The metrics are those that any catalog names for the experiment, `entitled_days`, and `revenue:CUR` for each
--   currency that its units paid in; of a holdout, those that catalogs name for any experiment."
-- materialized: table
-- partition: exposure_date
-- unique: [experiment_id, unit_id, metric, window_days]
-- cluster: [experiment_id, metric]
-- tests:
--   accepted_values:
--     window_days: [7, 14, 28, 60]
--   not_null: [numerator, denominator, covariate, complete]
--   references:
--     experiment_id: exposures.experiment_id
-- columns:
--   experiment_id: The experiment or holdout.
--   unit_id: The unit.
--   exposure_date: The day of the unit's first occasion (UTC); the partition.
--   variant: The variant.
--   metric: A kind of moment or of feedback, `entitled_days`, or `revenue:CUR`. All are of the unit, whichever
--     offer led to them. A name that is none of these has no rows; an assertion tells it.
--   window_days: "The length of the window: 7, 14, 28 or 60 days after `first_at`, which itself is not in it: the
--     moment that was decided does not count."
--   complete: TRUE if the window was over at `newest.as_of`. An incomplete one counts what happened so far.
--   numerator: Of a moment or feedback 1 if it occurred in the window, else 0; of `entitled_days` the days with
--     access, in fractions; of `revenue:CUR` payments less what went back, in minor units, which may be negative.
--   denominator: "1: every metric is a mean over units."
--   numerator_squared: "`numerator` squared."
--   denominator_squared: "`denominator` squared."
--   cross_product: "`numerator` times `denominator`."
--   covariate: The same metric in the 28 days up to and with `first_at`; nothing that the variant could have
--     changed.
--   covariate_squared: "`covariate` squared."
--   covariate_cross: "`covariate` times `numerator`."
WITH
  kinds AS (
    SELECT metric FROM UNNEST([
      'trial.started', 'trial.ending', 'trial.converted', 'trial.ended', 'activated', 'renewed', 'period.ending',
      'payment.failed', 'payment.recovered', 'plan.changed', 'auto_renew.off', 'auto_renew.on', 'paused',
      'paused.ending', 'resumed', 'expired', 'lapsed', 'refunded', 'churn_risk.raised', 'feedback.absent',
      'feedback.clicked', 'feedback.dismissed',
      'delivered', 'impression', 'clicked', 'accepted', 'dismissed', 'converted'
    ]) AS metric
  ),
  units AS (
    SELECT experiment_id, unit, unit_id, user_id, subscription_id, variant, first_at, exposure_date
    FROM exposures
    WHERE exposure_date >= DATE '1990-01-01'
  ),
  written AS (
    SELECT experiments.experiment_id, name AS metric
    FROM experiments,
      UNNEST(SPLIT(CONCAT(COALESCE(goal_metrics, ''), ',', COALESCE(guardrail_metrics, '')), ',')) AS name
    WHERE name IN (SELECT metric FROM kinds)
  ),
  named AS (
    SELECT DISTINCT experiment_id, metric FROM written
    UNION DISTINCT
    SELECT holdout.experiment_id, written.metric
    FROM experiments AS holdout CROSS JOIN written
    WHERE holdout.kind = 'holdout'
  ),
  occurrences AS (
    SELECT user_id, subscription_id, kind AS metric, at, 1.0 AS amount
    FROM moments
    WHERE moment_date >= DATE '1990-01-01' AND kind IN (SELECT metric FROM named)
    UNION ALL
    SELECT user_id, subscription_id, kind, occurred_at, 1.0
    FROM stg_exposure
    WHERE publish_date >= DATE '1990-01-01' AND kind IN (SELECT metric FROM named)
    UNION ALL
    SELECT user_id, subscription_id, CONCAT('revenue:', currency), at, CAST(amount AS FLOAT64)
    FROM money_movements
  ),
  happened AS (
    SELECT
      units.experiment_id, units.unit_id, occurrences.metric, occurrences.amount,
      UNIX_MICROS(occurrences.at) - UNIX_MICROS(units.first_at) AS after
    FROM units
    JOIN occurrences ON occurrences.user_id = units.user_id
    WHERE (units.unit = 'user' OR occurrences.subscription_id = units.subscription_id)
      AND occurrences.at > TIMESTAMP_SUB(units.first_at, INTERVAL 28 DAY)
      AND occurrences.at <= TIMESTAMP_ADD(units.first_at, INTERVAL 60 DAY)
  ),
  sums AS (
    SELECT
      experiment_id, unit_id, metric,
      SUM(IF(after > 0 AND after <= 7 * 86400000000, amount, 0.0)) AS in_7,
      SUM(IF(after > 0 AND after <= 14 * 86400000000, amount, 0.0)) AS in_14,
      SUM(IF(after > 0 AND after <= 28 * 86400000000, amount, 0.0)) AS in_28,
      SUM(IF(after > 0, amount, 0.0)) AS in_60,
      SUM(IF(after <= 0, amount, 0.0)) AS before
    FROM happened
    GROUP BY experiment_id, unit_id, metric
  ),
  access_told AS (
    SELECT 'user' AS unit, user_id AS unit_id, decided_at, sequence, user_entitled AS is_entitled
    FROM stg_subscription_change
    WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT 'subscription', CONCAT(user_id, '/', subscription_id), decided_at, sequence, entitled
    FROM stg_subscription_change
    WHERE publish_date >= DATE '1990-01-01'
  ),
  access_spans AS (
    SELECT
      unit, unit_id, is_entitled, UNIX_MICROS(decided_at) AS starts,
      UNIX_MICROS(
        COALESCE(LEAD(decided_at) OVER (PARTITION BY unit, unit_id ORDER BY sequence, decided_at), newest.as_of)
      ) AS ends
    FROM access_told CROSS JOIN newest
  ),
  had_access AS (
    SELECT
      units.experiment_id, units.unit_id,
      access_spans.starts - UNIX_MICROS(units.first_at) AS starts, access_spans.ends - UNIX_MICROS(units.first_at) AS ends
    FROM units
    JOIN access_spans ON access_spans.unit_id = units.unit_id AND access_spans.unit = units.unit
    WHERE access_spans.is_entitled
  ),
  entitled_days AS (
    SELECT
      experiment_id, unit_id, 'entitled_days' AS metric,
      SUM(GREATEST(LEAST(ends, 7 * 86400000000) - GREATEST(starts, 0), 0)) / 86400000000 AS in_7,
      SUM(GREATEST(LEAST(ends, 14 * 86400000000) - GREATEST(starts, 0), 0)) / 86400000000 AS in_14,
      SUM(GREATEST(LEAST(ends, 28 * 86400000000) - GREATEST(starts, 0), 0)) / 86400000000 AS in_28,
      SUM(GREATEST(LEAST(ends, 60 * 86400000000) - GREATEST(starts, 0), 0)) / 86400000000 AS in_60,
      SUM(GREATEST(LEAST(ends, 0) - GREATEST(starts, -28 * 86400000000), 0)) / 86400000000 AS before
    FROM had_access
    GROUP BY experiment_id, unit_id
  ),
  measured AS (
    SELECT * FROM sums
    UNION ALL
    SELECT * FROM entitled_days
  ),
  asked AS (
    SELECT experiment_id, metric FROM named
    UNION DISTINCT
    SELECT experiment_id, metric FROM sums WHERE STARTS_WITH(metric, 'revenue:')
    UNION DISTINCT
    SELECT experiment_id, 'entitled_days' FROM units
  ),
  per_window AS (
    SELECT
      units.experiment_id, units.unit_id, units.exposure_date, units.variant, asked.metric, window_days,
      TIMESTAMP_ADD(units.first_at, INTERVAL window_days DAY) <= newest.as_of AS complete,
      CASE window_days
        WHEN 7 THEN measured.in_7 WHEN 14 THEN measured.in_14 WHEN 28 THEN measured.in_28 ELSE measured.in_60
      END AS total,
      measured.before
    FROM units
    JOIN asked ON asked.experiment_id = units.experiment_id
    LEFT JOIN measured
      ON measured.experiment_id = units.experiment_id AND measured.unit_id = units.unit_id
      AND measured.metric = asked.metric
    CROSS JOIN newest
    CROSS JOIN UNNEST([7, 14, 28, 60]) AS window_days
  ),
  valued AS (
    SELECT
      experiment_id, unit_id, exposure_date, variant, metric, window_days, complete, 1.0 AS denominator,
      CASE
        WHEN metric = 'entitled_days' OR STARTS_WITH(metric, 'revenue:') THEN COALESCE(total, 0.0)
        ELSE LEAST(COALESCE(total, 0.0), 1.0)
      END AS numerator,
      CASE
        WHEN metric = 'entitled_days' OR STARTS_WITH(metric, 'revenue:') THEN COALESCE(before, 0.0)
        ELSE LEAST(COALESCE(before, 0.0), 1.0)
      END AS covariate
    FROM per_window
  )
SELECT
  experiment_id, unit_id, exposure_date, variant, metric, window_days, complete, numerator, denominator,
  numerator * numerator AS numerator_squared, denominator * denominator AS denominator_squared,
  numerator * denominator AS cross_product, covariate, covariate * covariate AS covariate_squared,
  numerator * covariate AS covariate_cross
FROM valued
