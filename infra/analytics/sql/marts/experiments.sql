-- description: "What published catalogs say of their experiments and holdouts: one row for each variant in each
--   version."
-- materialized: table
-- unique: [experiment_id, catalog_version, variant]
-- tests:
--   accepted_values:
--     kind: [experiment, holdout]
--     unit: [user, subscription]
--     state: [draft, running, stopped]
-- columns:
--   experiment_id: The experiment's id; `holdout/NAME` for a holdout.
--   kind: "`experiment` or `holdout`."
--   catalog_version: The version of the catalog.
--   published_at: When that version first went in force (UTC).
--   variant: The variant; of a holdout `held_out` and `treated`.
--   weight: "The share of the variant among those whom the experiment assigns, by GrowthBook's ranges: coverage
--     shortens all ranges alike, weights that do not add up to 1 count as equal. NULL where no share is fixed:
--     under a policy, at a coverage of 0, and for a holdout with an audience, since it is unknown who of the
--     treated is in the audience."
--   coverage: The share of units that are assigned at all; the others get the campaign's own offer.
--   unit: "What is assigned: `user` or `subscription`."
--   bucket_version: The version of the buckets.
--   goal_metrics: The metrics to improve, joined by commas; NULL where the catalog names none.
--   guardrail_metrics: The metrics not to harm, joined by commas; NULL where the catalog names none.
--   policy: The policy that sets the probabilities; NULL for weights.
--   state: "`draft`, `running` or `stopped`. A holdout says `running`; `starts_at` and `ends_at` are in its
--     document."
--   document: The experiment or the holdout as the catalog writes it, as JSON.
WITH
  catalogs AS (
    SELECT
      catalog_version, published_at, message, JSON_QUERY(message, '$.catalog.experiments') AS experiments,
      JSON_QUERY(message, '$.catalog.holdouts') AS holdouts
    FROM stg_catalog_published
    WHERE publish_date >= DATE '1990-01-01'
    QUALIFY ROW_NUMBER() OVER (PARTITION BY catalog_version ORDER BY published_at, message_id) = 1
  ),
  -- JSON_KEYS quotes a name that is more than letters and digits.
  experiment_names AS (
    SELECT catalog_version, published_at, message, TRIM(key, '"') AS experiment_id
    FROM catalogs, UNNEST(JSON_KEYS(experiments, 1)) AS key
  ),
  experiment_terms AS (
    SELECT catalog_version, published_at, experiment_id, message['catalog']['experiments'][experiment_id] AS document
    FROM experiment_names
  ),
  arms AS (
    SELECT
      catalog_version, published_at, experiment_id, document, position AS arm_number,
      JSON_VALUE(arm, '$.id') AS variant,
      JSON_VALUE(document, '$.policy') AS policy,
      LEAST(GREATEST(COALESCE(SAFE_CAST(JSON_VALUE(document, '$.coverage') AS FLOAT64), 1.0), 0.0), 1.0) AS coverage,
      COALESCE(SAFE_CAST(JSON_VALUE(arm, '$.weight') AS FLOAT64), 0.0) AS written,
      COUNT(*) OVER (PARTITION BY catalog_version, experiment_id) AS number_of_arms,
      SUM(COALESCE(SAFE_CAST(JSON_VALUE(arm, '$.weight') AS FLOAT64), 0.0))
        OVER (PARTITION BY catalog_version, experiment_id) AS written_in_all
    FROM experiment_terms, UNNEST(JSON_QUERY_ARRAY(document, '$.variants')) AS arm WITH OFFSET AS position
  ),
  weighted AS (
    SELECT
      *, IF(written_in_all BETWEEN 0.99 AND 1.01, written, 1.0 / number_of_arms) AS weight
    FROM arms
  ),
  ranges AS (
    SELECT
      *,
      COALESCE(
        SUM(weight) OVER (
          PARTITION BY catalog_version, experiment_id ORDER BY arm_number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0.0
      ) AS starts
    FROM weighted
  ),
  covered AS (
    SELECT *, GREATEST(LEAST(starts + coverage * weight, 1.0) - starts, 0.0) AS share FROM ranges
  ),
  experiment_rows AS (
    SELECT
      experiment_id, 'experiment' AS kind, catalog_version, published_at, variant,
      CASE
        WHEN policy IS NULL AND coverage > 0 THEN share / SUM(share) OVER (PARTITION BY catalog_version, experiment_id)
      END AS weight,
      coverage,
      COALESCE(JSON_VALUE(document, '$.unit'), 'user') AS unit,
      COALESCE(SAFE_CAST(JSON_VALUE(document, '$.bucket_version') AS INT64), 0) AS bucket_version,
      ARRAY_TO_STRING(JSON_VALUE_ARRAY(document, '$.goal_metrics'), ',') AS goal_metrics,
      ARRAY_TO_STRING(JSON_VALUE_ARRAY(document, '$.guardrail_metrics'), ',') AS guardrail_metrics,
      policy,
      COALESCE(JSON_VALUE(document, '$.state'), 'running') AS state,
      document
    FROM covered
    WHERE variant IS NOT NULL
  ),
  holdout_names AS (
    SELECT catalog_version, published_at, message, TRIM(key, '"') AS holdout
    FROM catalogs, UNNEST(JSON_KEYS(holdouts, 1)) AS key
  ),
  holdout_terms AS (
    SELECT catalog_version, published_at, holdout, message['catalog']['holdouts'][holdout] AS document
    FROM holdout_names
  ),
  held_out AS (
    SELECT
      *,
      CASE
        WHEN JSON_VALUE(document, '$.audience') IS NULL
        THEN ROUND(SAFE_CAST(JSON_VALUE(document, '$.percent') AS FLOAT64) * 100) / 10000
      END AS share
    FROM holdout_terms
  ),
  holdout_rows AS (
    SELECT
      CONCAT('holdout/', holdout) AS experiment_id, 'holdout' AS kind, catalog_version, published_at, variant,
      IF(variant = 'held_out', share, 1.0 - share) AS weight,
      1.0 AS coverage, 'user' AS unit, 0 AS bucket_version,
      CAST(NULL AS STRING) AS goal_metrics, CAST(NULL AS STRING) AS guardrail_metrics, CAST(NULL AS STRING) AS policy,
      'running' AS state, document
    FROM held_out, UNNEST(['held_out', 'treated']) AS variant
  )
SELECT
  experiment_id, kind, catalog_version, published_at, variant, weight, coverage, unit, bucket_version, goal_metrics,
  guardrail_metrics, policy, state, document
FROM experiment_rows
UNION ALL
SELECT
  experiment_id, kind, catalog_version, published_at, variant, weight, coverage, unit, bucket_version, goal_metrics,
  guardrail_metrics, policy, state, document
FROM holdout_rows
