"""Audiences: CEL clauses over the facts of a user."""
