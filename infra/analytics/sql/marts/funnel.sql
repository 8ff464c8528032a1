-- description: "How far campaigns came, by day, catalog and variant: small, for dashboards."
-- materialized: table
-- unique: [day, campaign_id, catalog_version, variant, stage, reason]
-- tests:
--   accepted_values:
--     stage: [considered, lost, issued, delivered, seen, clicked, accepted, dismissed, converted, revoked]
-- columns:
--   day: The day (UTC) of the decision, or of the feedback as reported.
--   campaign_id: The campaign.
--   catalog_version: The catalog by which it was decided.
--   variant: The variant of the campaign's experiment; NULL where there is none, or where the campaign would not
--     have won.
--   stage: "`considered`: a candidate of a decision. `lost`: one that issued nothing, by its reason. `issued` and
--     `revoked`: triggers. `delivered`, `seen`, `clicked`, `accepted`, `dismissed`, `converted`: the first report
--     of its kind on a trigger."
--   reason: Of `lost` the gate or rule, of `revoked` the reason of the revocation; else NULL.
--   number: How many.
WITH
  considered AS (
    SELECT
      DATE(decided_at) AS day, campaign_id, catalog_version, variant, outcome, reason, COUNT(*) AS number
    FROM stg_candidate
    WHERE publish_date >= DATE '1990-01-01'
    GROUP BY day, campaign_id, catalog_version, variant, outcome, reason
  ),
  told AS (
    SELECT
      DATE(decided_at) AS day, campaign_id, catalog_version, variant, kind AS stage, revoke_reason AS reason,
      COUNT(*) AS number
    FROM stg_upsell_trigger
    WHERE publish_date >= DATE '1990-01-01'
    GROUP BY day, campaign_id, catalog_version, variant, stage, reason
  ),
  -- An earlier report may be told after a later one, in a message of its own.
  first_answers AS (
    SELECT occurred_at, campaign_id, catalog_version, variant, kind
    FROM stg_exposure
    WHERE publish_date >= DATE '1990-01-01' AND kind <> 'suppressed'
    QUALIFY ROW_NUMBER() OVER (PARTITION BY trigger_id, kind ORDER BY occurred_at, sequence, message_id) = 1
  ),
  answered AS (
    SELECT
      DATE(occurred_at) AS day, campaign_id, catalog_version, variant,
      IF(kind = 'impression', 'seen', kind) AS stage, COUNT(*) AS number
    FROM first_answers
    GROUP BY day, campaign_id, catalog_version, variant, stage
  )
SELECT day, campaign_id, catalog_version, variant, 'considered' AS stage, CAST(NULL AS STRING) AS reason, SUM(number) AS number
FROM considered
GROUP BY day, campaign_id, catalog_version, variant
UNION ALL
SELECT day, campaign_id, catalog_version, variant, outcome, reason, number
FROM considered
WHERE outcome = 'lost'
UNION ALL
SELECT day, campaign_id, catalog_version, variant, stage, reason, number FROM told
UNION ALL
SELECT day, campaign_id, catalog_version, variant, stage, CAST(NULL AS STRING), number FROM answered
