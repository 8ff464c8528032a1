"""Field types of inbound events: the values each type accepts, and the text of its rejections."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, LiteralString

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetPydanticSchema, Strict, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.contracts.inbound.codes import CURRENCIES, KNOWN_COUNTRIES
from shared.domain import events
from shared.domain.due_shards import DUE_SHARDS
from shared.domain.events import MAX_CATALOG_NUMBER, FeedbackKind, PaymentOutcome, Signal
from shared.domain.zones import is_zone

MAX_AMOUNT = 10**12
"""Maximum amount, in minor currency units."""
MAX_QUANTITY = 10**6
MAX_ORDER = 10**9
"""Maximum distance of `order` from 0."""
MAX_ID = 256
ID_CHARACTERS = r"[!-.0-~]"
ID_PATTERN = rf"^{ID_CHARACTERS}+$"
"""Printable ASCII without space and slash: ids such as `$RCAnonymousID:8f3c`, `auth0|42` and `a+b@example.com`.

A slash would end a document's name in Firestore.
"""
ID_IN_WORDS = f"1 to {MAX_ID} printable ASCII characters without spaces and slashes"
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""The earliest accepted time (UTC). An earlier one comes from a clock that was never set, such as 1970-01-01."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The expectation of a field, in words.

    It replaces pydantic's error text, so that no input value can leak into a rejection.
    """

    words: str
    closed: type | None = None
    """The type of the values if the field is a closed list, else None.

    An unlisted value of this type may be added by a later version; a value of another type never will be.
    """
    between: tuple[int, int] | None = None
    """The bounds of a number, both included."""
    allowed: str | None = None
    """A pattern of the characters that a text may have."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Replace every validation error of the field with these words."""
        context = {
            "closed": self.closed and self.closed.__name__,
            "between": self.between,
            "allowed": self.allowed,
        }
        return core_schema.custom_error_schema(
            handler(source),
            custom_error_type="expected",
            custom_error_message=self.words,
            custom_error_context={name: about for name, about in context.items() if about},
        )


# A pattern, because fromisoformat accepts ISO 8601 forms that RFC 3339 does not, such as 20260315T093000Z.
_AFTER_YEAR = (
    r"-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
A_TIME: LiteralString = "an RFC 3339 time with offset, from 1990 to 9999"
TIME_PATTERN = rf"^(?:1989|199[0-9]|[2-9][0-9]{{3}}){_AFTER_YEAR}$"
"""For the JSON Schema only. It allows 1989, whose last hours can be 1990 in UTC; `utc` checks exactly."""
_is_rfc3339 = re.compile(rf"[0-9]{{4}}{_AFTER_YEAR}").fullmatch


def utc(value: object) -> datetime:
    """Parse RFC 3339 text into UTC, truncated to microseconds.

    Raises `PydanticCustomError` if the value is not such a text, or is before 1990.
    """
    if not isinstance(value, str):
        raise _not_a_time()
    return _utc(value)


# Cached because events repeat times: a period starts when it is paid for, or when the previous period ends.
@lru_cache(maxsize=1024)
def _utc(text: str) -> datetime:
    if not _is_rfc3339(text):
        raise _not_a_time("a time without offset" if _is_rfc3339(f"{text}Z") else None)
    try:
        # Upper case because fromisoformat rejects a lower-case "z".
        time = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _not_a_time("a date that does not exist") from None
    if time < EARLIEST:
        raise _not_a_time("an earlier one")
    return time


def _not_a_time(found: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("expected", A_TIME, {"found": found})


def _one_of(names: Iterable[str]) -> Expected:
    return Expected(f"one of {', '.join(names)}", closed=str)


def _listed(expected: LiteralString, is_listed: Callable[[str], bool]) -> Callable[[str], str]:
    """A check of well-formed text against a list that others keep. It counts as a closed list, which may grow."""

    def check(text: str) -> str:
        if not is_listed(text):
            raise PydanticCustomError("expected", expected, {"closed": "str", "found": "one that is not listed"})
        return text

    return check


def _time_schema(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ARG001 - pydantic's signature
    """Check for text in Rust and then call the cache itself: most events have several times."""
    text = core_schema.custom_error_schema(
        core_schema.str_schema(strict=True), custom_error_type="expected", custom_error_message=A_TIME
    )
    as_time = core_schema.simple_ser_schema("datetime")
    return core_schema.no_info_after_validator_function(_utc, text, serialization=as_time)


Time = Annotated[
    datetime,
    GetPydanticSchema(_time_schema),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIME_PATTERN}),
]
Id = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ID, pattern=ID_PATTERN),
    Expected(ID_IN_WORDS, allowed=ID_CHARACTERS),
]
_matches_id = re.compile(ID_PATTERN).fullmatch


def is_id(text: str) -> bool:
    """True for a text that an event may have as an id."""
    return len(text) <= MAX_ID and _matches_id(text) is not None


Source = Annotated[
    str,
    Field(max_length=256, pattern=r"^[!-~]*$"),
    Expected("at most 256 printable ASCII characters without spaces", allowed=r"[!-~]"),
]
# Names are shown on pages and in logs, so they have no control characters.
_NAME_CHARACTERS = r"[^\x00-\x1F\x7F-\x9F]"
_NAME_PATTERN = rf"^{_NAME_CHARACTERS}+$"
Plan = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=_NAME_PATTERN),
    Expected("1 to 128 characters, none of them a control character", allowed=_NAME_CHARACTERS),
]
Store = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=_NAME_PATTERN),
    Expected("1 to 64 characters, none of them a control character", allowed=_NAME_CHARACTERS),
]
Product = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_NAME_PATTERN),
    Expected("1 to 256 characters, none of them a control character", allowed=_NAME_CHARACTERS),
]
OfferRef = Annotated[
    str,
    Field(min_length=1, max_length=256, pattern=_NAME_PATTERN),
    Expected("1 to 256 characters, none of them a control character", allowed=_NAME_CHARACTERS),
]
Text = Annotated[str, Field(max_length=256), Expected("at most 256 characters")]
Amount = Annotated[
    int,
    Field(ge=0, le=MAX_AMOUNT),
    Expected(f"whole minor units from 0 to {MAX_AMOUNT}", between=(0, MAX_AMOUNT)),
]
AS_A_CURRENCY = (
    "as an ISO 4217 code in capitals, for example `EUR`. Codes that were withdrawn since 2001 count too; `XXX` "
    "stands for points and tokens."
)
Currency = Annotated[
    str,
    Field(pattern=r"^[A-Z]{3}$"),
    Expected("an ISO 4217 code of 3 capital letters"),
    AfterValidator(_listed("a currency code that ISO 4217 lists", CURRENCIES.__contains__)),
]
Quantity = Annotated[
    int,
    Field(ge=1, le=MAX_QUANTITY),
    Expected(f"a whole number from 1 to {MAX_QUANTITY}", between=(1, MAX_QUANTITY)),
]
Order = Annotated[
    int,
    Field(ge=-MAX_ORDER, le=MAX_ORDER),
    Expected(f"a whole number from -{MAX_ORDER} to {MAX_ORDER}", between=(-MAX_ORDER, MAX_ORDER)),
]
Share = Annotated[float, Field(ge=0, le=1), Expected("a number from 0 to 1", between=(0, 1))]
Flag = Annotated[bool, Expected("true or false")]
Version = Annotated[
    int,
    Field(ge=1, le=1),
    Expected("1", closed=int),
    WithJsonSchema({"type": "integer", "const": 1}),
]
CatalogNumber = Annotated[
    int, Field(ge=0, le=MAX_CATALOG_NUMBER), Expected(f"a whole number from 0 to {MAX_CATALOG_NUMBER}")
]
NoGrace = Annotated[Literal["none"], Expected("`none`", closed=str)]
Shard = Annotated[int, Field(ge=0, lt=DUE_SHARDS), Expected(f"a whole number from 0 to {DUE_SHARDS - 1}")]

Country = Annotated[
    str,
    Field(pattern=r"^[A-Z]{2}$"),
    Expected("an ISO 3166 code of 2 capital letters"),
    AfterValidator(_listed("a country code that ISO 3166-1 lists", KNOWN_COUNTRIES.__contains__)),
]
Locale = Annotated[
    str,
    Field(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"),
    Expected("a BCP 47 language tag of at most 35 characters"),
]
TimeZone = Annotated[
    str,
    Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"),
    Expected("an IANA time zone name of at most 64 characters"),
    AfterValidator(_listed("a name of the IANA time zone database", is_zone)),
]

# Strict mode would demand enum members, which JSON cannot hold. Without it, pydantic looks a member up by its
# value; a value that is not a string is still rejected.
Environment = Annotated[events.Environment, Strict(False), _one_of(events.Environment)]
Outcome = Annotated[PaymentOutcome, Strict(False), _one_of(PaymentOutcome)]
Ownership = Annotated[events.Ownership, Strict(False), _one_of(events.Ownership)]
SignalKind = Annotated[Signal, Strict(False), _one_of(Signal)]
ReasonCode = Annotated[events.ReasonCode, Strict(False), _one_of(events.ReasonCode)]
Feedback = Annotated[FeedbackKind, Strict(False), _one_of(FeedbackKind)]
