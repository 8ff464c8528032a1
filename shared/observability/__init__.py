"""Logs in the form that Cloud Logging reads."""
