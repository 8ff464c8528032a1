-- description: Each goal and guardrail metric of a catalog is a kind of moment or of feedback.
SELECT DISTINCT experiments.catalog_version, experiments.experiment_id, name AS metric
FROM experiments,
  UNNEST(SPLIT(CONCAT(COALESCE(goal_metrics, ''), ',', COALESCE(guardrail_metrics, '')), ',')) AS name
WHERE name <> '' AND name NOT IN (
  'trial.started', 'trial.ending', 'trial.converted', 'trial.ended', 'activated', 'renewed', 'period.ending',
  'payment.failed', 'payment.recovered', 'plan.changed', 'auto_renew.off', 'auto_renew.on', 'paused',
  'paused.ending', 'resumed', 'expired', 'lapsed', 'refunded', 'churn_risk.raised', 'feedback.absent',
  'feedback.clicked', 'feedback.dismissed',
  'delivered', 'impression', 'clicked', 'accepted', 'dismissed', 'converted'
)
ORDER BY experiment_id, catalog_version, metric
