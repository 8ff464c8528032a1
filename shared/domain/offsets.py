"""Offsets of milestones: a number of days or hours between a milestone and what it is about."""

import re
from datetime import timedelta

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MAX_OFFSET = timedelta(days=3650)
OFFSET_EXPECTED = "1 to 3650 days such as 7 or 7d, or as many hours such as 36h"
"""The offsets that there are, in words."""
_WRITTEN = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[dh]?)")


def parse_offset(text: str) -> timedelta:
    """The offset that `7`, `7d` (days) or `36h` (hours) stands for. Raises `ValueError` with what was expected."""
    found = _WRITTEN.fullmatch(text)
    offset = int(found["number"]) * (HOUR if found["unit"] == "h" else DAY) if found else timedelta()
    if not HOUR <= offset <= MAX_OFFSET:
        raise ValueError(OFFSET_EXPECTED)
    return offset


def offset_text(offset: timedelta) -> str:
    """An offset as `parse_offset` reads it: whole days as `3d`, all others in hours, such as `36h`."""
    hours = offset // HOUR
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"
