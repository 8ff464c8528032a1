"""Scores: a number from 0 to 1 about a user, told by a small JSON artifact and a few lines of plain Python."""
