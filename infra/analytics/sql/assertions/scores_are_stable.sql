-- description: "The scores that rank a campaign are spread in the last 7 days as in the 28 before: a population
--   stability index below 0.25, by ten bins, where both periods have 1,000 candidates."
WITH
  scored AS (
    SELECT
      campaign_id,
      LEAST(CAST(FLOOR(score * 10) AS INT64), 9) AS bin,
      decided_at >= TIMESTAMP_SUB(@now, INTERVAL 7 DAY) AS is_recent
    FROM stg_candidate
    WHERE publish_date >= DATE_SUB(DATE(@now), INTERVAL 36 DAY) AND score IS NOT NULL
      AND decided_at >= TIMESTAMP_SUB(@now, INTERVAL 35 DAY) AND decided_at <= @now
  ),
  totals AS (
    SELECT campaign_id, COUNTIF(is_recent) AS recent, COUNTIF(NOT is_recent) AS earlier
    FROM scored
    GROUP BY campaign_id
  ),
  counted AS (
    SELECT campaign_id, bin, COUNTIF(is_recent) AS recent, COUNTIF(NOT is_recent) AS earlier
    FROM scored
    GROUP BY campaign_id, bin
  ),
  shares AS (
    SELECT
      totals.campaign_id, totals.recent, totals.earlier,
      (COALESCE(counted.recent, 0) + 0.5) / (totals.recent + 5) AS share_now,
      (COALESCE(counted.earlier, 0) + 0.5) / (totals.earlier + 5) AS share_before
    FROM totals
    CROSS JOIN UNNEST(GENERATE_ARRAY(0, 9)) AS number
    LEFT JOIN counted ON counted.campaign_id = totals.campaign_id AND counted.bin = number
    WHERE totals.recent >= 1000 AND totals.earlier >= 1000
  ),
  indexes AS (
    SELECT
      campaign_id, recent, earlier, SUM((share_now - share_before) * LN(share_now / share_before)) AS psi
    FROM shares
    GROUP BY campaign_id, recent, earlier
  )
SELECT campaign_id, recent, earlier, psi
FROM indexes
WHERE psi >= 0.25
ORDER BY campaign_id
