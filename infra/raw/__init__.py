"""The raw log: every message in and out as one line with the columns of BigQuery's raw tables."""
