-- description: "How far the log reaches: the instant as of which everything else is true. No model asks a clock."
-- materialized: view
-- columns:
--   as_of: The latest publish time of any message that was parsed (UTC); NULL for an empty warehouse.
SELECT MAX(publish_time) AS as_of
FROM stg_publication
WHERE publish_date >= DATE '1990-01-01' AND reason IS NULL
