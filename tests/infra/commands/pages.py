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
    "publish",
    "listen",
    "redrive",
    "package",
    "smoke",
    "rollback",
)
"""Every command but `catalog` and `model`, which have commands of their own, in the order of the help page."""

NARROW = {"COLUMNS": "80"}
"""The environment of a command whose pages must fit 80 columns."""
