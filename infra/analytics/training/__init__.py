"""Training: of any score by `upbeat train`, and of the shipped churn risk by hand; nothing here is deployed."""
