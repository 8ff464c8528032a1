"""The commands and the width of their pages, for tests of all of them."""

NAMES = (
    "demo",
    "replay",
    "whatif",
    "score",
    "train",
    "show",
    "explain",
    "up",
    "console",
    "clock",
    "trigger",
    "publish",
    "listen",
    "redrive",
    "export",
    "erase",
    "rebuild",
    "package",
    "smoke",
    "rollback",
    "doctor",
)
"""Every command but the groups, in the order of the help page."""

NARROW = {"COLUMNS": "80"}
"""The environment of a command whose pages must fit 80 columns."""
