"""Use cases: load a record, compute, commit, publish."""
