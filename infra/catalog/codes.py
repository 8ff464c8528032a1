"""Codes of countries, currencies and time zones: the wrong ones in a clause, and what each most likely means."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from shared.contracts.inbound.codes import COUNTRIES, CURRENCIES
from shared.decisioning.document.problems import closest
from shared.domain.zones import is_zone, zone_names

_TEXT = r"""(?:"[^"]*"|'[^']*')"""
_TEXTS = rf"(?:\s*{_TEXT}\s*,?)+"
_COUNTRIES_OTHERWISE = {"UK": "GB", "EL": "GR", "USA": "US", "UAE": "AE"}
"""Codes that people write for a country, and that are none."""
_CURRENCIES_OTHERWISE = {"CNH": "CNY", "EURO": "EUR", "GPB": "GBP", "NTD": "TWD", "RMB": "CNY", "UKP": "GBP"}
"""Codes that people write for a currency, and that are none."""


def meant_country(name: str) -> str | None:
    """The code of a country that a word most likely means; None if that cannot be told."""
    code = _COUNTRIES_OTHERWISE.get(name.upper(), name.upper())
    return code if code in COUNTRIES else None


def meant_currency(name: str) -> str | None:
    """The code of a currency that a word most likely means; None if that cannot be told."""
    code = _CURRENCIES_OTHERWISE.get(name.upper(), name.upper())
    return code if code in CURRENCIES else None


def meant_zone(name: str) -> str | None:
    """The name of a time zone that a word most likely means; None if that cannot be told."""
    names = sorted(zone_names())
    wanted = name.strip().replace(" ", "_").lower()
    same = [each for each in names if each.lower() == wanted or each.lower().endswith(f"/{wanted}")]
    return same[0] if same else closest(name, names, cutoff=0.75)


class Codes(NamedTuple):
    """A fact that is a code of a list, and the list."""

    compared: re.Pattern[str]
    """Finds the texts with which a clause compares the fact."""
    what: str
    is_known: Callable[[str], bool]
    meant: Callable[[str], str | None]


def _compared(scope: str, fact: str) -> re.Pattern[str]:
    return re.compile(rf"\b{scope}\s*\.\s*{fact}\s*(?:[=!]=\s*|in\s*\[)({_TEXTS})")


ALL_CODES = (
    Codes(
        _compared("profile", "country"),
        "the ISO 3166-1 code of a country",
        COUNTRIES.__contains__,
        meant_country,
    ),
    Codes(
        _compared("subscription", "currency"),
        "the ISO 4217 code of a currency",
        CURRENCIES.__contains__,
        meant_currency,
    ),
    Codes(_compared("profile", "time_zone"), "the name of an IANA time zone", is_zone, meant_zone),
)


def wrong_codes(clause: str) -> Iterator[str]:
    """The right facts in place of each wrong code in a clause, in words."""
    for codes in ALL_CODES:
        for texts in codes.compared.findall(clause):
            for code in (text[1:-1] for text in re.findall(_TEXT, texts)):
                if not codes.is_known(code):
                    meant = codes.meant(code)
                    yield f"{codes.what}{f' ({meant}?)' if meant else ''} instead of '{code}'"
