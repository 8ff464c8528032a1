"""The words and numbers that catalogs are written in: what each may be, and what to write instead."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from shared.domain.events import FeedbackKind
from shared.domain.moments import MILESTONES, MomentKind, MomentSelector
from shared.domain.tallies import ISSUED

MAX_CAP = 32
LEAST_FLOOR = 1e-6
HOLDOUT_SALT_PREFIX = "holdout/"
"""What the seeds of holdouts begin with. An experiment whose salt did too could share its seed with a holdout."""
_SCORE = re.compile(r"""\bscores\s*(?:\.\s*|\[\s*["'])(\w+)""")


def parse_selector(text: str) -> MomentSelector:
    """Parse `renewed`, or a milestone with its offset in days, `lapsed@7`.

    Raises `ValueError` with what was expected.
    """
    kind, at, days = text.partition("@")
    if kind not in list(MomentKind):
        raise ValueError(f"one of {', '.join(MomentKind)}")
    if not at:
        return MomentSelector(MomentKind(kind))
    if kind not in MILESTONES:
        raise ValueError(f"{kind} without days (only {', '.join(sorted(MILESTONES))} have them)")
    if not (days.isascii() and days.isdecimal()):
        raise ValueError(f"whole days after {kind}@")
    return MomentSelector(MomentKind(kind), int(days))


def scores_in(text: str) -> list[str]:
    """The names of the scores that a clause asks for."""
    return _SCORE.findall(text)


def _selector(text: str) -> str:
    parse_selector(text)
    return text


def _milestone(name: str) -> str:
    if name not in MILESTONES:
        raise ValueError(f"one of {', '.join(sorted(MILESTONES))}")
    return name


def _counted(event: str) -> str:
    if event != ISSUED and event not in list(FeedbackKind):
        raise ValueError(f"one of {', '.join((ISSUED, *FeedbackKind))}")
    return event


def _feedback(event: str) -> str:
    if event not in list(FeedbackKind):
        raise ValueError(f"one of {', '.join(FeedbackKind)}")
    return event


def _metric(name: str) -> str:
    if name not in (*MomentKind, *FeedbackKind):
        raise ValueError("the name of a moment or of a kind of feedback")
    return name


def _no_holdout(salt: str) -> str:
    if salt.startswith(HOLDOUT_SALT_PREFIX):
        raise ValueError(f"a salt that does not begin with {HOLDOUT_SALT_PREFIX}, as those of holdouts do")
    return salt


def _worth_having(floor: float) -> float:
    if 0 < floor < LEAST_FLOOR:
        raise ValueError(f"0, or at least {LEAST_FLOOR}")
    return floor


def _raised(kind: str) -> str:
    if kind != MomentKind.CHURN_RISK_RAISED:
        raise ValueError(f"{MomentKind.CHURN_RISK_RAISED}, the moment that a score raises")
    return kind


def _hour_and_minute(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("hours and minutes in quotes, such as '22:00'")
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # zoneinfo's own error is a KeyError; a folder's name an OSError
        raise ValueError("an IANA time zone such as Europe/Stockholm") from None
    return name


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", text):
        raise ValueError("1 to 64 letters, digits, _ or -, of which the first is a letter or digit")
    return text


def _one_clause(entry: dict[str, str]) -> dict[str, str]:
    if len(entry) != 1:
        raise ValueError("one name with its clause")
    return entry


Id = Annotated[str, AfterValidator(_id)]
Milestone = Annotated[str, AfterValidator(_milestone)]
Selector = Annotated[str, AfterValidator(_selector)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A name in another system, never interpreted here."""
Plan = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Cel = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
NamedClause = Annotated[dict[Id, Cel], AfterValidator(_one_clause)]
Days = Annotated[int, Field(ge=1, le=3650)]
Hours = Annotated[int, Field(ge=1, le=8760)]


Salt = Annotated[str, AfterValidator(_no_holdout), StringConstraints(min_length=1, max_length=200)]
Floor = Annotated[float, Field(ge=0, le=0.5), AfterValidator(_worth_having)]
CountedEvent = Annotated[str, AfterValidator(_counted)]
FeedbackEvent = Annotated[str, AfterValidator(_feedback)]
RaisedMoment = Annotated[str, AfterValidator(_raised)]
Metric = Annotated[str, AfterValidator(_metric)]
TimeOfDay = Annotated[str, AfterValidator(_hour_and_minute)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Share = Annotated[float, Field(ge=0, le=1)]
Scope = Literal["campaign", "offer", "placement", "channel", "user"]
"""Which triggers are counted: those of the campaign, or all that share its offer, placement, channel or user."""


class Strict(BaseModel):
    """A part of a catalog: it never changes, nothing is coerced, and an unknown key is a typo."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)
