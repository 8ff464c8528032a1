"""Formatting for the terminal: values, wording, progress and log lines."""
