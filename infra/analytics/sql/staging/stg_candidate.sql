-- description: Every campaign that a decision considered, one row each.
-- materialized: incremental
-- partition: publish_date
-- unique: [decision_id, campaign_id, cause]
-- lookback: 0
-- require_partition_filter: true
-- cluster: [experiment_id, user_id]
-- tests:
--   not_null: [campaign_id, cause]
--   accepted_values:
--     outcome: [issued, lost]
-- columns:
--   decision_id: The decision.
--   user_id: The user.
--   sequence: The place of the decision among the messages about the user.
--   decided_at: When it was decided (UTC).
--   catalog_version: The catalog in force.
--   campaign_id: The campaign.
--   cause: The id of the one occurrence of the moment.
--   subscription_id: The subscription in which the moment occurred.
--   moment: The moment for which the campaign was considered.
--   placement: Where the offer would be shown.
--   offer_id: The offer made, or that would have been made; NULL if the user's variant gets none.
--   outcome: "`issued` or `lost`."
--   reason: The gate or rule that stopped the campaign; NULL if it was issued.
--   detail: What exactly stopped it.
--   trigger_id: The trigger that was sent, or that would have been.
--   given: "TRUE: the user was given what was due, which for an arm of nothing is nothing. FALSE: a holdout, a cap
--     or a rest kept it back. NULL: the campaign would not have won."
--   holdouts: Every holdout that covers the campaign and includes the user, joined by commas, also where the
--     campaign lost; NULL where none does.
--   experiment_id: The experiment, if the campaign won or would have won.
--   variant: The user's variant of it.
--   propensity: The probability with which that variant was chosen.
--   policy_version: The version of the policy that set the probability; NULL for weights.
--   segment: The segment of the experiment that the user was in, where its policy may tell segments apart.
--   unit: "What the experiment assigns: `user` or `subscription`."
--   bucket_version: The version of the experiment's buckets.
--   newly_assigned: TRUE if this decision assigned the variant, FALSE if an earlier one did.
--   score: The score that ranked the campaign.
--   context: What the decision knew, as JSON.
--   publish_time: When the decision reached Pub/Sub (UTC).
--   publish_date: The day of `publish_time` (UTC); the partition.
WITH
  listed AS (
    SELECT
      decision_id, user_id, sequence, decided_at, catalog_version, context, publish_time, publish_date, candidate
    FROM stg_decision, UNNEST(JSON_QUERY_ARRAY(message, '$.candidates')) AS candidate
    WHERE publish_date >= @since
  )
SELECT
  decision_id, user_id, sequence, decided_at, catalog_version,
  JSON_VALUE(candidate, '$.campaign_id') AS campaign_id,
  JSON_VALUE(candidate, '$.cause') AS cause,
  JSON_VALUE(candidate, '$.subscription_id') AS subscription_id,
  JSON_VALUE(candidate, '$.moment') AS moment,
  JSON_VALUE(candidate, '$.placement') AS placement,
  JSON_VALUE(candidate, '$.offer_id') AS offer_id,
  JSON_VALUE(candidate, '$.outcome') AS outcome,
  JSON_VALUE(candidate, '$.reason') AS reason,
  JSON_VALUE(candidate, '$.detail') AS detail,
  JSON_VALUE(candidate, '$.trigger_id') AS trigger_id,
  SAFE_CAST(JSON_VALUE(candidate, '$.given') AS BOOL) AS given,
  ARRAY_TO_STRING(JSON_VALUE_ARRAY(candidate, '$.holdouts'), ',') AS holdouts,
  JSON_VALUE(candidate, '$.experiment_id') AS experiment_id,
  JSON_VALUE(candidate, '$.variant') AS variant,
  SAFE_CAST(JSON_VALUE(candidate, '$.propensity') AS FLOAT64) AS propensity,
  JSON_VALUE(candidate, '$.policy_version') AS policy_version,
  JSON_VALUE(candidate, '$.segment') AS segment,
  JSON_VALUE(candidate, '$.unit') AS unit,
  SAFE_CAST(JSON_VALUE(candidate, '$.bucket_version') AS INT64) AS bucket_version,
  SAFE_CAST(JSON_VALUE(candidate, '$.newly_assigned') AS BOOL) AS newly_assigned,
  SAFE_CAST(JSON_VALUE(candidate, '$.score') AS FLOAT64) AS score,
  context, publish_time, publish_date
FROM listed
