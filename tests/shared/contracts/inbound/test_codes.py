"""Codes of lists that others keep: currencies, countries and time zones."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.contracts.inbound.codes import CURRENCIES, KNOWN_COUNTRIES
from shared.contracts.inbound.envelope import parse_event
from shared.contracts.reasons import RejectionReason
from shared.domain.zones import is_zone, load_zone, zone_names
from tests.support.samples import PAYMENT, delivery, refusal

UNLISTED = {
    "currency": ["XYZ", "BTC", "ABC", "EUX", "GWP"],
    "profile.country": ["QQ", "UK", "ZZ", "EU", "SU"],
    "profile.time_zone": ["Mars/Olympus", "europe/berlin", "Europe", "Europe/Berlin/Mitte", "GMT+25", "posix/UTC"],
}


def with_value(path: str, value: Any) -> dict[str, Any]:
    field, _, fact = path.partition(".")
    return PAYMENT | {field: {fact: value} if fact else value}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, of in UNLISTED.items() for value in of])
def test_a_well_formed_code_that_is_not_listed_is_an_unknown_value(path: str, value: str) -> None:
    rejected = refusal(with_value(path, value))
    assert rejected.reason == RejectionReason.UNKNOWN_VALUE
    assert rejected.detail.startswith(f"{path}: expected ")
    assert rejected.detail.endswith(", found one that is not listed")
    assert value not in rejected.detail


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("currency", value) for value in ["eur", "EURO", "", "\u20ac", "E\u00dcR", 978]),
        *(("profile.country", value) for value in ["de", "DEU", "Germany", "", 49]),
        *(
            ("profile.time_zone", value)
            for value in ["../etc/passwd", "/UTC", "UTC ", "", "Europe//Berlin", "a" * 65]
        ),
        *(("profile.time_zone", value) for value in ["Europe/\x00", "Europe/Zu\u0308rich", 1, ["UTC"]]),
    ],
)
def test_what_is_no_code_at_all_is_invalid(path: str, value: Any) -> None:
    assert refusal(with_value(path, value)).reason == RejectionReason.INVALID


@pytest.mark.parametrize("currency", ["EUR", "JPY", "ZWG", "XXX", "XTS", "XAU", "DEM", "HRK", "BGN"])
def test_currencies_of_today_and_of_long_ago_are_taken(currency: str) -> None:
    assert parse_event("payment", delivery(PAYMENT | {"currency": currency})).fact.currency == currency


@pytest.mark.parametrize("country", ["DE", "XK", "AN", "TW"])
def test_countries_of_today_and_of_long_ago_are_taken(country: str) -> None:
    assert parse_event("payment", delivery(with_value("profile.country", country))).profile.country == country


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "US/Pacific", "Etc/GMT+12", "Asia/Calcutta", "EST5EDT"])
def test_zones_are_taken_by_their_former_names_too(zone: str) -> None:
    assert parse_event("payment", delivery(with_value("profile.time_zone", zone))).profile.time_zone == zone


def test_lists_hold_codes_of_the_form_that_the_schemas_ask_for() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in KNOWN_COUNTRIES)
    assert len(CURRENCIES) == 178 + 55


def test_a_country_of_the_time_zone_database_is_known() -> None:
    table = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text()
    assert {line[:2] for line in table.splitlines() if not line.startswith("#")} <= KNOWN_COUNTRIES


class TestZones:
    @pytest.mark.parametrize("name", sorted(zone_names()))
    def test_each_can_be_loaded_and_tells_the_time(self, name: str) -> None:
        loaded = load_zone(name)
        assert loaded.key == name
        assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(loaded).utcoffset() is not None

    def test_come_from_the_package_and_not_from_the_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("zoneinfo.TZPATH", ("/nowhere",))
        load_zone.cache_clear()
        noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
        assert noon.astimezone(load_zone("Europe/Berlin")).hour == 14
        assert load_zone("Europe/Berlin") is not ZoneInfo("Europe/Berlin")

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "zones", "__init__.py", "../zones", "Europe", "Europe/", "/UTC", "localtime"]
    )
    def test_of_other_names_there_are_none(self, name: str) -> None:
        assert not is_zone(name)
        with pytest.raises(KeyError):
            load_zone(name)
