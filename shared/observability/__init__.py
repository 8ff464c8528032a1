"""Logs in the format that Cloud Logging parses."""
