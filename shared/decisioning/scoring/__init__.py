"""Scores: numbers from 0 to 1 about a user, computed in plain Python from small JSON artifacts."""
