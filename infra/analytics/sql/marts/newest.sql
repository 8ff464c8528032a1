-- description: "How far the log reaches: the instant as of which everything else is true. No model asks a clock."
-- materialized: table
-- columns:
--   as_of: The latest publish time of any message that was parsed (UTC); NULL for an empty warehouse.
WITH
  arrivals AS (
    SELECT MAX(publish_time) AS publish_time FROM stg_payment WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT MAX(publish_time) FROM stg_trial_start WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT MAX(publish_time) FROM stg_churn_signal WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT MAX(publish_time) FROM stg_trigger_feedback WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT MAX(publish_time) FROM stg_lifecycle_due WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT MAX(publish_time) FROM stg_subscription_change WHERE publish_date >= DATE '1990-01-01'
    UNION ALL
    SELECT MAX(publish_time) FROM stg_decision WHERE publish_date >= DATE '1990-01-01'
  )
SELECT MAX(publish_time) AS as_of FROM arrivals
