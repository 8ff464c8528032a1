"""The types of a catalog's values: their bounds, and the text that says which value was expected."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from shared.domain.events import FeedbackKind
from shared.domain.moments import FOLLOW_UPS, MILESTONES, NOT_TOLD, MomentKind, MomentSelector
from shared.domain.offsets import DAY, offset_text, parse_offset
from shared.domain.tallies import ISSUED
from shared.domain.zones import is_zone

MAX_CAP = 32
"""The highest `max` of a cap."""
MAX_MEMBERS = 16
"""The most clauses, or other audiences, in each field of an audience."""
MAX_SEGMENTS = 8
"""The most segments of an experiment: each is an audience to ask in every decision of a policy."""
MIN_FLOOR = 1e-6
"""The lowest floor of a policy's arms, except 0."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week."""
FALLBACK_PREFIX = "fallback."
"""The prefix of the campaign id of a placement's fallback. No other campaign's id can have a dot."""
ENTITLED_DAYS = "entitled_days"
"""The metric of the days on which a user had access."""
_REVENUE = re.compile(r"revenue:[A-Z]{3}")
HOLDOUT_SALT_PREFIX = "holdout/"
"""The prefix of every holdout's hash seed. No experiment's salt may begin with it, so that no seed is shared."""
_KINDS = {kind.value: kind for kind in MomentKind}
AT_OFFSETS = MILESTONES | {MomentKind.FEEDBACK_ABSENT}
"""The kinds of moments that have an offset."""


def parse_selector(text: str) -> MomentSelector:
    """Parse `renewed`, or a milestone with its offset in days or hours, such as `lapsed@7` or `lapsed@36h`.

    A follow-up names the campaign that it follows: `feedback.absent@3d:CAMPAIGN`. Raises `ValueError` with the
    expected value.
    """
    moment, colon, campaign = text.partition(":")
    kind, at, offset = moment.partition("@")
    if kind not in _KINDS:
        raise ValueError(f"one of {', '.join(_KINDS)}")
    if colon and kind not in FOLLOW_UPS:
        raise ValueError(f"{kind} without a campaign (only {', '.join(sorted(FOLLOW_UPS))} have one)")
    if colon and not campaign:
        raise ValueError(f"the id of a campaign after {moment}:")
    selector = MomentSelector(_KINDS[kind], campaign=campaign or None)
    if not at:
        return selector
    if kind not in AT_OFFSETS:
        raise ValueError(f"{kind} without an offset (only {', '.join(sorted(AT_OFFSETS))} have one)")
    try:
        return selector._replace(offset=parse_offset(offset))
    except ValueError as error:
        raise ValueError(f"{error} after {kind}@") from None


def campaign_in(text: str) -> str | None:
    """The campaign that a selector follows; None if it follows none, or is malformed."""
    try:
        return parse_selector(text).campaign
    except ValueError:
        return None


def _selector(text: str) -> str:
    """A selector of a campaign. One that follows another campaign is written in full."""
    kind, offset, campaign = parse_selector(text)
    if kind in FOLLOW_UPS and not campaign:
        raise ValueError(f"the campaign that it follows ({text}{'' if offset else _wait(kind)}:CAMPAIGN)")
    if kind is MomentKind.FEEDBACK_ABSENT and not offset:
        raise ValueError(f"the time without an answer ({kind}{_wait(kind)}:{campaign})")
    if campaign and campaign.startswith(FALLBACK_PREFIX):
        raise ValueError("a campaign of the catalog, as a fallback cannot be followed")
    return text


def _wait(kind: MomentKind) -> str:
    """An example of the offset that a kind of follow-up needs; empty if it has none."""
    return "@3d" if kind is MomentKind.FEEDBACK_ABSENT else ""


def _milestone(name: str) -> str:
    if name not in MILESTONES:
        raise ValueError(f"one of {', '.join(sorted(MILESTONES))}")
    return name


def _offset(written: object) -> timedelta:
    """An offset from a number of days, or from text such as `36h`."""
    is_days = isinstance(written, int) and not isinstance(written, bool)
    return parse_offset(str(written) if is_days or isinstance(written, str) else "")


def _written_offset(offset: timedelta) -> int | str:
    """An offset as it is written in a catalog: a number of days, or text such as `36h`."""
    return offset_text(offset) if offset % DAY else offset // DAY


def _counted(event: str) -> str:
    if event != ISSUED and event not in list(FeedbackKind):
        raise ValueError(f"one of {', '.join((ISSUED, *FeedbackKind))}")
    return event


def _feedback(event: str) -> str:
    if event not in list(FeedbackKind):
        raise ValueError(f"one of {', '.join(FeedbackKind)}")
    return event


def _metric(name: str) -> str:
    if name not in (*(set(MomentKind) - NOT_TOLD), *FeedbackKind, ENTITLED_DAYS) and not _REVENUE.fullmatch(name):
        other = f"{ENTITLED_DAYS}, or revenue with its currency (revenue:EUR)"
        raise ValueError(f"the name of a moment or of a kind of feedback, {other}")
    return name


def _not_of_holdouts(salt: str) -> str:
    if salt.startswith(HOLDOUT_SALT_PREFIX):
        raise ValueError(f"a salt that does not begin with {HOLDOUT_SALT_PREFIX}, as those of holdouts do")
    return salt


def _zero_or_min_floor(floor: float) -> float:
    if 0 < floor < MIN_FLOOR:
        raise ValueError(f"0, or at least {MIN_FLOOR}")
    return floor


def _raised(kind: str) -> str:
    if kind != MomentKind.CHURN_RISK_RAISED:
        raise ValueError(f"{MomentKind.CHURN_RISK_RAISED}, the moment that a score raises")
    return kind


def _hour_and_minute(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("hours and minutes in quotes, such as '22:00'")
    return text


def parse_days(text: str) -> frozenset[int]:
    """The days of the week, Monday 0, of a day or a range such as `mon-fri`. A range may wrap: `sat-mon`.

    Raises `ValueError` with the expected value.
    """
    first, dash, last = text.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"a day ({', '.join(DAYS)}), or a range such as mon-fri")
    start = DAYS.index(first)
    length = (DAYS.index(last) - start) % len(DAYS) if dash else 0
    return frozenset((start + number) % len(DAYS) for number in range(length + 1))


def _days(text: str) -> str:
    parse_days(text)
    return text


def _time_zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("an IANA time zone such as Europe/Stockholm")
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
Offset = Annotated[timedelta, BeforeValidator(_offset), PlainSerializer(_written_offset)]
Selector = Annotated[str, AfterValidator(_selector)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A name in another system. It is passed on as it is."""
Plan = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Cel = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
NamedClause = Annotated[dict[Id, Cel], AfterValidator(_one_clause)]
Days = Annotated[int, Field(ge=1, le=3650)]
Hours = Annotated[int, Field(ge=1, le=8760)]
Salt = Annotated[str, AfterValidator(_not_of_holdouts), StringConstraints(min_length=1, max_length=200)]
Floor = Annotated[float, Field(ge=0, le=0.5), AfterValidator(_zero_or_min_floor)]
CountedEvent = Annotated[str, AfterValidator(_counted)]
FeedbackEvent = Annotated[str, AfterValidator(_feedback)]
RaisedMoment = Annotated[str, AfterValidator(_raised)]
Metric = Annotated[str, AfterValidator(_metric)]
TimeOfDay = Annotated[str, AfterValidator(_hour_and_minute)]
WeekDays = Annotated[str, AfterValidator(_days)]
"""A day of the week, or a range of them."""
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Share = Annotated[float, Field(ge=0, le=1)]
Scope = Literal["campaign", "offer", "placement", "channel", "user"]
"""The triggers that are counted: the campaign's own, or all with the same offer, placement, channel or user."""


class Strict(BaseModel):
    """A part of a catalog: immutable, without type coercion, and with unknown keys refused."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)
