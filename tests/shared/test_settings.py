"""Settings: all but the project have defaults, and an error names the expected values."""

from datetime import timedelta

import pytest

from shared.domain.terms import Terms
from shared.settings import InvalidSettings, Settings, read_settings

PROJECT = {"GOOGLE_CLOUD_PROJECT": "p"}


def test_the_project_is_all_that_must_be_said() -> None:
    assert read_settings(PROJECT) == Settings("p", "INFO", 60.0, None, Terms())


def test_everything_can_be_said() -> None:
    said = {
        "UPBEAT_LOG_LEVEL": "debug",
        "UPBEAT_CATALOG_SECONDS": "0.5",
        "UPBEAT_USER_HASH_KEY": "k",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "K_SERVICE": "payment",
        "UPBEAT_PROCESS_SANDBOX": "true",
        "UPBEAT_API_ONLY_READS": "true",
        "UPBEAT_MAX_BODY_BYTES": "2000000",
        "UPBEAT_FEATURES_TABLE": "projects/p/instances/upbeat/tables/user_features",
        "UPBEAT_FEATURES_MILLISECONDS": "50",
        "UPBEAT_API_PLACEMENTS": '{"app@x": ["home"], "web@x": "*"}',
        "UPBEAT_EXIT_BEFORE_PUBLISH": "/tmp/fuse",  # noqa: S108 - a name, never opened
        "UPBEAT_GRACE_DAYS": "3",
        "UPBEAT_HOLD_DAYS": "30",
        "UPBEAT_PENDING_HOURS": "24.5",
        "UPBEAT_CLOCK_SKEW_MINUTES": "0",
        "UPBEAT_FRESHNESS_HOURS": "48",
        "UPBEAT_REDELIVERY_DAYS": "21",
    }
    assert read_settings(PROJECT | said) == Settings(
        project="p",
        log_level="DEBUG",
        catalog_seconds=0.5,
        exit_before_publish="/tmp/fuse",  # noqa: S108 - a name, never opened
        terms=Terms(
            grace=timedelta(days=3),
            hold=timedelta(days=30),
            pending=timedelta(hours=24, minutes=30),
            clock_skew=timedelta(0),
            freshness=timedelta(hours=48),
            redelivery=timedelta(days=21),
        ),
        user_hash_key="k",
        otlp_endpoint="http://collector:4318",
        service="payment",
        process_sandbox=True,
        max_body_bytes=2_000_000,
        features_table="projects/p/instances/upbeat/tables/user_features",
        features_seconds=0.05,
        api_placements={"app@x": ("home",), "web@x": ("*",)},
        api_only_reads=True,
    )


def test_the_content_of_events_is_logged_where_asked_for_and_never_in_a_deployed_function() -> None:
    asked = PROJECT | {"UPBEAT_LOG_CONTENT": "true"}
    assert read_settings(asked).log_content
    with pytest.raises(InvalidSettings, match="UPBEAT_LOG_CONTENT: expected false in a deployed function"):
        read_settings(asked | {"K_SERVICE": "payment"})
    assert not read_settings(PROJECT | {"UPBEAT_LOG_CONTENT": "false", "K_SERVICE": "payment"}).log_content


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("home", "found no JSON"),
        ('["home"]', "found list"),
        ('{"app@x": "home"}', "app@x: expected a list or \"*\", found 'home'"),
        ('{"app@x": [7]}', 'app@x: expected a list or "*", found [7]'),
        ('{"app@x": null}', 'app@x: expected a list or "*", found None'),
    ],
)
def test_an_ill_formed_list_of_placements_is_refused_by_the_caller_it_is_of(given: str, found: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_settings(PROJECT | {"UPBEAT_API_PLACEMENTS": given})
    assert str(refused.value).startswith("UPBEAT_API_PLACEMENTS: ")
    assert str(refused.value).endswith(found)


@pytest.mark.parametrize("environ", [{}, {"GOOGLE_CLOUD_PROJECT": ""}])
def test_without_a_project_nothing_works(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match="GOOGLE_CLOUD_PROJECT: expected the id of a Google Cloud project"):
        read_settings(environ)


@pytest.mark.parametrize("found", ["", "a week", "-1", "nan", "inf", "100001"])
@pytest.mark.parametrize("name", ["UPBEAT_GRACE_DAYS", "UPBEAT_CATALOG_SECONDS"])
def test_what_is_no_number_is_refused_by_name(name: str, found: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_settings(PROJECT | {name: found})
    assert str(refused.value) == f"{name}: expected a number from 0 to 100000, found {found!r}"


@pytest.mark.parametrize("found", ["", "299999", "5000001", "-300000"])
def test_a_bound_on_bodies_leaves_room_for_every_event_and_for_its_dead_letter(found: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        read_settings(PROJECT | {"UPBEAT_MAX_BODY_BYTES": found})
    expected = f"UPBEAT_MAX_BODY_BYTES: expected a number from 300000 to 5000000, found {found!r}"
    assert str(refused.value) == expected


@pytest.mark.parametrize("found", ["user_features", "projects/p/instances/i", "projects/p/instances/i/tables/t/x"])
def test_a_table_of_features_is_named_in_full(found: str) -> None:
    with pytest.raises(InvalidSettings, match="expected projects/PROJECT/instances/INSTANCE/tables/TABLE, found"):
        read_settings(PROJECT | {"UPBEAT_FEATURES_TABLE": found})
    assert read_settings(PROJECT | {"UPBEAT_FEATURES_TABLE": ""}).features_table is None


@pytest.mark.parametrize("found", ["0", "1001", "soon"])
def test_features_have_between_a_millisecond_and_a_second(found: str) -> None:
    with pytest.raises(InvalidSettings, match="expected a number from 1 to 1000, found"):
        read_settings(PROJECT | {"UPBEAT_FEATURES_MILLISECONDS": found})


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(InvalidSettings, match="UPBEAT_PROCESS_SANDBOX: expected true or false, found 'yes'"):
        read_settings(PROJECT | {"UPBEAT_PROCESS_SANDBOX": "yes"})


def test_a_log_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"UPBEAT_LOG_LEVEL: expected one of DEBUG, .*, found 'loud'"):
        read_settings(PROJECT | {"UPBEAT_LOG_LEVEL": "loud"})


def test_the_longest_durations_can_be_added_to_any_time() -> None:
    terms = read_settings(PROJECT | {"UPBEAT_GRACE_DAYS": "100000", "UPBEAT_REDELIVERY_DAYS": "100000"}).terms
    assert terms.grace == terms.redelivery == timedelta(days=100_000)


def test_a_clock_of_its_own_is_for_local_emulators_alone():
    local = {"GOOGLE_CLOUD_PROJECT": "p", "UPBEAT_CLOCK_FILE": "state/clock"}
    assert read_settings(local).clock_file == "state/clock"
    with pytest.raises(InvalidSettings, match="UPBEAT_CLOCK_FILE: expected nothing in a deployed function"):
        read_settings(local | {"K_SERVICE": "payment"})
