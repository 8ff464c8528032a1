"""The models of the warehouse, and the runner that builds them on DuckDB or BigQuery."""
