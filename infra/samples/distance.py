"""Distances in time, as people write them on the command line and in samples."""

import re
from datetime import timedelta

UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_DISTANCE = re.compile(r"([+-]?)(\d{1,6})([dhms])")


def distance(text: str) -> timedelta | None:
    """A signed distance in days, hours, minutes or seconds, such as `+30d`, `-2h` or `5m`; None for other text."""
    found = _DISTANCE.fullmatch(text)
    return found and (-1 if found[1] == "-" else 1) * int(found[2]) * UNITS[found[3]]
