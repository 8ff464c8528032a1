-- description: "Every moment in the life of a subscription, once: the first telling. A moment that an older event
--   would have made otherwise stays as it was told."
-- materialized: table
-- partition: moment_date
-- unique: [cause, kind, subscription_id, user_id]
-- require_partition_filter: true
-- cluster: [kind, user_id]
-- tests:
--   accepted_values:
--     kind: [trial.started, trial.ending, trial.converted, trial.ended, activated, renewed, period.ending,
--       payment.failed, payment.recovered, plan.changed, auto_renew.off, auto_renew.on, paused, paused.ending,
--       resumed, expired, lapsed, refunded, churn_risk.raised, feedback.absent, feedback.clicked,
--       feedback.dismissed]
-- columns:
--   user_id: The user.
--   subscription_id: The subscription in whose life it occurred.
--   kind: The kind of moment, from a closed list.
--   at: When it occurred (UTC), however late its event arrived.
--   offset: The offset of a milestone, `3d` or `36h`; NULL for another moment.
--   cause: "The id of this one occurrence: the `cause` of the candidates and triggers that it led to."
--   decided_at: When Upbeat learned of it (UTC).
--   decision_lateness_seconds: Seconds from `at` to `decided_at`; above 72 hours no campaign is asked.
--   moment_date: The day of `at` (UTC); the partition.
--   change_id: The subscription change that told it.
SELECT
  user_id, subscription_id, kind, at, offset, cause, decided_at,
  TIMESTAMP_DIFF(decided_at, at, MICROSECOND) / 1000000 AS decision_lateness_seconds,
  DATE(at) AS moment_date,
  change_id
FROM stg_moment
WHERE publish_date >= DATE '1990-01-01' AND at IS NOT NULL AND kind IS NOT NULL AND cause IS NOT NULL
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY user_id, subscription_id, kind, cause ORDER BY sequence, decided_at, change_id
) = 1
