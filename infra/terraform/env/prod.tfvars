project          = "upbeat-prod"
environment      = "prod"
alert_emails     = ["oncall@example.com"]
stored_successes = 0.05
min_instances = {
  trial_start   = 1
  payment       = 2
  churn_signal  = 1
  lifecycle_due = 1
  decisions     = 1
}
