"""The embedded runtime: all functions in one process, on SQLite and a virtual clock."""
