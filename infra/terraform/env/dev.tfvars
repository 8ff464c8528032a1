project      = "upbeat-dev"
environment  = "dev"
alert_emails = []
expiry_days  = 90
