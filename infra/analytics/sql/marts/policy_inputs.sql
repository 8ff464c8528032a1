-- description: "Every choice of an arm, with the probability that it had and what came of it: what a policy learns
--   from. Of experiments with weights too, where `policy_version` is NULL and later choices of a unit repeat its
--   first. Learn from rows that are given."
-- materialized: table
-- partition: decision_date
-- unique: [decision_id, campaign_id, cause]
-- require_partition_filter: true
-- cluster: [experiment_id]
-- tests:
--   not_null: [arm, propensity]
-- columns:
--   experiment_id: The experiment.
--   decision_id: The decision.
--   user_id: The user.
--   cause: The occurrence for which the arm was chosen.
--   campaign_id: The campaign.
--   arm: The variant.
--   propensity: The probability with which it was chosen.
--   policy_version: The version of the policy; NULL for weights.
--   segment: The segment of the experiment that the user was in; NULL for none.
--   decided_at: When it was decided (UTC).
--   decision_date: The day of `decided_at` (UTC); the partition.
--   given: TRUE if the user was given what was due; FALSE if a holdout, a cap or a rest kept it back.
--   trigger_id: The trigger that was sent, or that would have been.
--   context: What the decision knew, as JSON.
--   accepted_at: The first acceptance of the trigger, as reported (UTC); NULL if none was.
--   converted_at: The first conversion of the trigger, as reported (UTC); NULL if none was.
--   delay_seconds: Seconds from `decided_at` to `converted_at`, else to `accepted_at`; NULL if there is neither.
WITH
  choices AS (
    SELECT
      experiment_id, decision_id, user_id, cause, campaign_id, variant AS arm, propensity, policy_version, segment,
      decided_at,
      DATE(decided_at) AS decision_date, given, trigger_id, context
    FROM stg_candidate
    WHERE publish_date >= DATE '1990-01-01' AND experiment_id IS NOT NULL AND variant IS NOT NULL AND given IS NOT NULL
  ),
  answers AS (
    SELECT
      trigger_id,
      MIN(IF(kind = 'accepted', occurred_at, NULL)) AS accepted_at,
      MIN(IF(kind = 'converted', occurred_at, NULL)) AS converted_at
    FROM stg_exposure
    WHERE publish_date >= DATE '1990-01-01' AND kind IN ('accepted', 'converted')
    GROUP BY trigger_id
  )
SELECT
  choices.experiment_id, choices.decision_id, choices.user_id, choices.cause, choices.campaign_id, choices.arm,
  choices.propensity, choices.policy_version, choices.segment, choices.decided_at, choices.decision_date, choices.given,
  choices.trigger_id, choices.context, answers.accepted_at, answers.converted_at,
  TIMESTAMP_DIFF(COALESCE(answers.converted_at, answers.accepted_at), choices.decided_at, MICROSECOND) / 1000000
    AS delay_seconds
FROM choices
LEFT JOIN answers ON answers.trigger_id = choices.trigger_id
