"""The types of a catalog's values: their bounds, and the text that says which value was expected."""

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
"""The highest `max` of a cap."""
MAX_MEMBERS = 16
"""The most clauses, or other audiences, in each field of an audience."""
MIN_FLOOR = 1e-6
"""The lowest floor of a policy's arms, except 0."""
HOLDOUT_SALT_PREFIX = "holdout/"
"""The prefix of every holdout's hash seed. No experiment's salt may begin with it, so that no seed is shared."""
_LITERAL = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_HYPHENED = r"\w+(?:-[A-Za-z_]\w*(?![\w.(]))+"
"""A name with a hyphen, as in `scores.churn-risk`. `-now()`, `-scores.x` and `-0.5` subtract something."""
_NAME = rf"(?:\.\s*({_HYPHENED}|\w+)|\[\s*({_LITERAL})\s*\])"
_SCORE = re.compile(rf"\bscores\s*{_NAME}")
_MAPS = r"scores|features|profile\s*\.\s*attributes"
_IN_A_MAP = re.compile(rf"{_LITERAL}|\b(has\s*\(\s*)?({_MAPS})\s*\.\s*({_HYPHENED})(?(1)\s*\))")
ATTRIBUTE_USE = re.compile(rf"{_LITERAL}|//[^\n]*|(?<![\w.])profile\s*\.\s*attributes\b(?:\s*{_NAME})?")
"""A use of an attribute with its name, plain or in quotes; also literals and comments, in which there are none."""


def parse_selector(text: str) -> MomentSelector:
    """Parse `renewed`, or a milestone with its offset in days, such as `lapsed@7`.

    Raises `ValueError` with the expected value.
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
    """The names of the scores that a clause uses."""
    return [name or quoted[1:-1] for name, quoted in _SCORE.findall(text)]


def attributes_in(text: str) -> list[str | None]:
    """The names of the attributes that a clause uses; None where it uses all of them, or computes a name."""
    uses = (found for found in ATTRIBUTE_USE.finditer(text) if found[0].startswith("profile"))
    return [name or (quoted[1:-1] if quoted else None) for name, quoted in (use.groups() for use in uses)]


def with_quoted_names(text: str) -> str:
    """A clause in which names with a hyphen are quoted, as CEL wants them: `scores["churn-risk"]`.

    Without quotes CEL would subtract `risk` from `scores.churn`. With spaces around it, a hyphen is a minus.
    """
    return _IN_A_MAP.sub(_quoted, text)


def _quoted(found: re.Match[str]) -> str:
    asked, section, name = found.groups()
    if name is None:  # a literal
        return found[0]
    return f'("{name}" in {section})' if asked else f'{section}["{name}"]'


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


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (
        ValueError,
        KeyError,
        OSError,
    ):  # ZoneInfoNotFoundError is a KeyError; a directory's name raises OSError
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
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Share = Annotated[float, Field(ge=0, le=1)]
Scope = Literal["campaign", "offer", "placement", "channel", "user"]
"""The triggers that are counted: the campaign's own, or all with the same offer, placement, channel or user."""


class Strict(BaseModel):
    """A part of a catalog: immutable, without type coercion, and with unknown keys refused."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", strict=True)
