"""Decisioning: pure functions that choose which offers a user gets, from a catalog and the user's state."""
