"""The width of pages in tests."""

NARROW = {"COLUMNS": "80"}
"""The environment of a command whose pages must fit 80 columns."""
