"""The IANA time zones, from the pinned package tzdata: the same on every machine, whatever that has of its own.

Data is released several times a year: https://www.iana.org/time-zones.
"""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

PACKAGE = "tzdata"


@cache
def zone_names() -> frozenset[str]:
    """The names of all zones, former names included."""
    return frozenset(files(PACKAGE).joinpath("zones").read_text().split())


def is_zone(name: str) -> bool:
    """True for the name of a zone, also for a former name."""
    return name in zone_names()


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of a name. Raises `KeyError` if there is none."""
    if not is_zone(name):
        raise KeyError(name)
    with files(PACKAGE).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
