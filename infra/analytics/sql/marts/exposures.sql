-- description: "Who is in which experiment and holdout: one row for each unit, the first occasion at which a
--   campaign of the experiment won for it, as decided then. Winning is what counts, given or not, since both arms
--   meet the same gates. A unit for which none ever won, and that only a cap or a rest kept from it, has its first
--   such occasion, with `withheld`."
-- materialized: table
-- partition: exposure_date
-- unique: [experiment_id, unit_id]
-- cluster: [experiment_id]
-- tests:
--   accepted_values:
--     withheld: [holdout, cap, cool_down]
--     unit: [user, subscription]
--   not_null: [variant, first_at, given]
--   references:
--     decision_id: stg_decision.decision_id
-- columns:
--   experiment_id: The experiment's id; `holdout/NAME` for a holdout.
--   unit: "What is assigned: `user` or `subscription`; of a holdout always `user`."
--   unit_id: "`user_id`, or `user_id/subscription_id`."
--   user_id: The user.
--   subscription_id: The subscription of the occasion.
--   variant: The variant; of a holdout `held_out` or `treated`. Treated are users for whom a campaign that the
--     holdout covers won while it ran, and whom it did not include; for a holdout with an audience they are also
--     users outside of it.
--   first_at: "When the occasion was decided (UTC): the beginning of every window."
--   exposure_date: The day of `first_at` (UTC); the partition.
--   catalog_version: The catalog in force.
--   bucket_version: The version of the experiment's buckets; 0 for a holdout.
--   campaign_id: The campaign that won; of several in one decision the first by id.
--   offer_id: The offer made, or that would have been made; NULL if the variant offers nothing.
--   decision_id: The decision.
--   trigger_id: The trigger that was sent, or that would have been.
--   moment: The moment that was decided.
--   given: "TRUE if the unit was given what was due, which for an arm of nothing is nothing. To compare arms, take
--     the rows that are given: whom a holdout held out is in no arm, and the holdout is independent of the arms."
--   withheld: "What kept it from the unit: `holdout`, `cap` or `cool_down`; NULL if given. `cap` and `cool_down`
--     mean that no campaign ever won for the unit: it is in no arm."
--   holdouts: Every holdout that included the user then, joined by commas; NULL where none did. To measure one of
--     several holdouts, take rows of which `holdouts` is NULL or names that one alone.
--   propensity: The probability with which the variant was chosen; NULL for a holdout.
--   policy_version: The version of the policy that set it; NULL for weights.
--   variants_seen: "The number of variants in which the unit ever won. More than 1 is a crossover, by a new bucket
--     version or a holdout that changed: left out and reported. Under a policy, which picks for each cause, it
--     says nothing; `policy_inputs` has every choice."
--   known_variant: TRUE if any published catalog has this variant in this experiment.
--   seen_at: The first impression of the occasion's trigger, as reported (UTC); NULL if none was.
--   revoked_at: When the occasion's trigger was revoked (UTC); NULL if it was not.
--   revoked_before_seen: TRUE if it was revoked, and not seen before.
WITH
  occasions AS (
    SELECT
      decision_id, user_id, subscription_id, sequence, decided_at, catalog_version, campaign_id, offer_id, trigger_id,
      moment, given, NULLIF(holdouts, '') AS holdouts, IF(given, NULL, reason) AS withheld,
      given OR reason = 'holdout' AS has_won,
      experiment_id, variant, COALESCE(unit, 'user') AS unit, bucket_version, propensity, policy_version
    FROM stg_candidate
    WHERE publish_date >= DATE '1990-01-01' AND given IS NOT NULL
  ),
  holdouts AS (
    SELECT
      experiment_id, catalog_version,
      CONCAT(',', ARRAY_TO_STRING(JSON_VALUE_ARRAY(document, '$.campaigns'), ','), ',') AS campaigns,
      SAFE_CAST(JSON_VALUE(document, '$.starts_at') AS TIMESTAMP) AS starts_at,
      SAFE_CAST(JSON_VALUE(document, '$.ends_at') AS TIMESTAMP) AS ends_at
    FROM experiments
    WHERE kind = 'holdout' AND variant = 'treated'
  ),
  of_experiments AS (
    SELECT * FROM occasions WHERE experiment_id IS NOT NULL AND variant IS NOT NULL
  ),
  of_held_out AS (
    SELECT
      occasions.* EXCEPT (experiment_id, variant, unit, bucket_version, propensity, policy_version),
      CONCAT('holdout/', holdout) AS experiment_id, 'held_out' AS variant, 'user' AS unit, 0 AS bucket_version,
      CAST(NULL AS FLOAT64) AS propensity, CAST(NULL AS STRING) AS policy_version
    FROM occasions, UNNEST(SPLIT(occasions.holdouts, ',')) AS holdout
    WHERE occasions.has_won
  ),
  of_treated AS (
    SELECT
      occasions.* EXCEPT (experiment_id, variant, unit, bucket_version, propensity, policy_version),
      holdouts.experiment_id, 'treated' AS variant, 'user' AS unit, 0 AS bucket_version,
      CAST(NULL AS FLOAT64) AS propensity, CAST(NULL AS STRING) AS policy_version
    FROM occasions
    JOIN holdouts
      ON holdouts.catalog_version = occasions.catalog_version
      AND (holdouts.campaigns IS NULL OR STRPOS(holdouts.campaigns, CONCAT(',', occasions.campaign_id, ',')) > 0)
      AND (holdouts.starts_at IS NULL OR occasions.decided_at >= holdouts.starts_at)
      AND (holdouts.ends_at IS NULL OR occasions.decided_at < holdouts.ends_at)
    WHERE occasions.has_won
      AND STRPOS(
        CONCAT(',', COALESCE(occasions.holdouts, ''), ','), CONCAT(',', SUBSTR(holdouts.experiment_id, 9), ',')
      ) = 0
  ),
  all_occasions AS (
    SELECT * FROM of_experiments
    UNION ALL
    SELECT * FROM of_held_out
    UNION ALL
    SELECT * FROM of_treated
  ),
  of_units AS (
    SELECT *, IF(unit = 'subscription', CONCAT(user_id, '/', subscription_id), user_id) AS unit_id
    FROM all_occasions
  ),
  seen_variants AS (
    SELECT
      experiment_id, unit_id,
      GREATEST(COUNT(DISTINCT IF(has_won, variant, NULL)), 1) AS variants_seen
    FROM of_units
    GROUP BY experiment_id, unit_id
  ),
  first_occasions AS (
    SELECT * FROM of_units
    WHERE TRUE
    QUALIFY ROW_NUMBER() OVER (
      PARTITION BY experiment_id, unit_id
      ORDER BY IF(has_won, 0, 1), decided_at, sequence, campaign_id, subscription_id, decision_id
    ) = 1
  ),
  known AS (
    SELECT DISTINCT experiment_id, variant FROM experiments
  ),
  seen AS (
    SELECT trigger_id, MIN(occurred_at) AS seen_at
    FROM stg_exposure
    WHERE publish_date >= DATE '1990-01-01' AND kind = 'impression'
    GROUP BY trigger_id
  ),
  revoked AS (
    SELECT trigger_id, MIN(decided_at) AS revoked_at
    FROM stg_upsell_trigger
    WHERE publish_date >= DATE '1990-01-01' AND kind = 'revoked'
    GROUP BY trigger_id
  )
SELECT
  occasion.experiment_id, occasion.unit, occasion.unit_id, occasion.user_id, occasion.subscription_id,
  occasion.variant, occasion.decided_at AS first_at, DATE(occasion.decided_at) AS exposure_date,
  occasion.catalog_version, occasion.bucket_version, occasion.campaign_id, occasion.offer_id, occasion.decision_id,
  occasion.trigger_id, occasion.moment, occasion.given, occasion.withheld, occasion.holdouts, occasion.propensity,
  occasion.policy_version, seen_variants.variants_seen, known.variant IS NOT NULL AS known_variant,
  seen.seen_at, revoked.revoked_at,
  revoked.revoked_at IS NOT NULL AND (seen.seen_at IS NULL OR seen.seen_at >= revoked.revoked_at)
    AS revoked_before_seen
FROM first_occasions AS occasion
JOIN seen_variants
  ON seen_variants.experiment_id = occasion.experiment_id AND seen_variants.unit_id = occasion.unit_id
LEFT JOIN known ON known.experiment_id = occasion.experiment_id AND known.variant = occasion.variant
LEFT JOIN seen ON seen.trigger_id = occasion.trigger_id
LEFT JOIN revoked ON revoked.trigger_id = occasion.trigger_id
