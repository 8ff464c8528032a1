"""Audiences: CEL clauses over the facts about a user."""
