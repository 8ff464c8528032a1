"""Settings, read from environment variables and validated at start."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.errors import UpbeatError
from shared.domain.terms import Terms

MAX_BODY_BYTES = 1_000_000
"""The default of `UPBEAT_MAX_BODY_BYTES`: no event is near it."""
EVERY_PLACEMENT = "*"
Placements = Mapping[str, Sequence[str]]
"""The placements that each caller of the API may ask for, by its e-mail address; `*` for every one."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class InvalidSettings(UpbeatError):
    """An unusable environment variable. The text names the variable, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a deployed function."""

    project: str
    """`GOOGLE_CLOUD_PROJECT`: the Google Cloud project that holds Firestore and Pub/Sub."""
    log_level: str = "INFO"
    """`UPBEAT_LOG_LEVEL`: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`, in upper or lower case."""
    catalog_seconds: float = 60.0
    """`UPBEAT_CATALOG_SECONDS`: the age in seconds at which the catalog is read again."""
    exit_before_publish: str | None = None
    """`UPBEAT_EXIT_BEFORE_PUBLISH`: the path of a file, for chaos tests. If the file exists when a commit is done,
    the process removes it and exits before the publish, as in a crash."""
    terms: Terms = field(default_factory=Terms)
    """`UPBEAT_GRACE_DAYS`, `UPBEAT_HOLD_DAYS`, `UPBEAT_PENDING_HOURS`, `UPBEAT_CLOCK_SKEW_MINUTES`,
    `UPBEAT_FRESHNESS_HOURS`, `UPBEAT_REDELIVERY_DAYS`."""
    user_hash_key: str | None = field(default=None, repr=False)
    """`UPBEAT_USER_HASH_KEY`, a secret: the key of the user hashes in log lines; without it, they have none."""
    otlp_endpoint: str | None = None
    """`OTEL_EXPORTER_OTLP_ENDPOINT`: the address of an OTLP collector for spans; without it, none are exported."""
    process_sandbox: bool = False
    """`UPBEAT_PROCESS_SANDBOX`, `true` or `false`: process events of test environments, too."""
    max_body_bytes: int = MAX_BODY_BYTES
    """`UPBEAT_MAX_BODY_BYTES`: the largest request body that is read whole, 300,000 to 5,000,000 bytes.

    An event with all attributes that Pub/Sub allows has less; a dead letter of more may exceed Pub/Sub's 10 MB.
    """
    features_table: str | None = None
    """`UPBEAT_FEATURES_TABLE`: the Bigtable table of the users' features, `projects/.../instances/.../tables/...`;
    without it, none are read."""
    features_seconds: float = 0.02
    """`UPBEAT_FEATURES_MILLISECONDS`: the time in which they are read, or else unknown; 1 to 1,000."""
    api_placements: Placements | None = None
    """`UPBEAT_API_PLACEMENTS`: a JSON object from the e-mail address of a caller of the API to the list of the
    placements that it may ask for, or to `"*"` for every one; without it, every caller may ask for every one."""
    api_only_reads: bool = False
    """`UPBEAT_API_ONLY_READS`, `true` or `false`: over gRPC, refuse the methods that change something."""
    service: str = "upbeat"
    """`K_SERVICE`: the name of the service in spans; Cloud Run sets it."""
    clock_file: str | None = None
    """`UPBEAT_CLOCK_FILE`, for local emulators alone: the path of a file with the seconds by which the clock is
    ahead. A function that runs in Cloud Run does not start with it."""
    log_content: bool = False
    """`UPBEAT_LOG_CONTENT`, `true` or `false`, for local emulators alone: log lines also tell the event and what
    came of it, which is personal data. A function that runs in Cloud Run does not start with `true`."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment. Raises `InvalidSettings`."""
    project = environ.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        raise InvalidSettings("GOOGLE_CLOUD_PROJECT: expected the id of a Google Cloud project, found nothing")
    return Settings(
        project=project,
        log_level=_log_level(environ),
        catalog_seconds=read_catalog_seconds(environ),
        user_hash_key=environ.get("UPBEAT_USER_HASH_KEY") or None,
        otlp_endpoint=environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
        process_sandbox=read_process_sandbox(environ),
        max_body_bytes=int(_number(environ, "UPBEAT_MAX_BODY_BYTES", MAX_BODY_BYTES, 300_000, 5_000_000)),
        features_table=_features_table(environ),
        features_seconds=_number(environ, "UPBEAT_FEATURES_MILLISECONDS", 20, 1, 1_000) / 1_000,
        api_placements=_placements(environ),
        api_only_reads=read_flag(environ, "UPBEAT_API_ONLY_READS"),
        service=environ.get("K_SERVICE") or "upbeat",
        clock_file=_clock_file(environ),
        log_content=_log_content(environ),
        exit_before_publish=environ.get("UPBEAT_EXIT_BEFORE_PUBLISH"),
        terms=read_terms(environ),
    )


def read_catalog_seconds(environ: Mapping[str, str]) -> float:
    """The age in seconds at which the catalog is read again. Raises `InvalidSettings`."""
    return _number(environ, "UPBEAT_CATALOG_SECONDS", 60.0)


def read_process_sandbox(environ: Mapping[str, str]) -> bool:
    """True if events of test environments are processed, too. Raises `InvalidSettings`."""
    return read_flag(environ, "UPBEAT_PROCESS_SANDBOX")


def read_terms(environ: Mapping[str, str]) -> Terms:
    """The terms of business in an environment, which needs no project. Raises `InvalidSettings`."""
    defaults = Terms()
    return Terms(
        grace=_duration(environ, "UPBEAT_GRACE_DAYS", timedelta(days=1), defaults.grace),
        hold=_duration(environ, "UPBEAT_HOLD_DAYS", timedelta(days=1), defaults.hold),
        pending=_duration(environ, "UPBEAT_PENDING_HOURS", timedelta(hours=1), defaults.pending),
        clock_skew=_duration(environ, "UPBEAT_CLOCK_SKEW_MINUTES", timedelta(minutes=1), defaults.clock_skew),
        freshness=_duration(environ, "UPBEAT_FRESHNESS_HOURS", timedelta(hours=1), defaults.freshness),
        redelivery=_duration(environ, "UPBEAT_REDELIVERY_DAYS", timedelta(days=1), defaults.redelivery),
    )


def _clock_file(environ: Mapping[str, str]) -> str | None:
    """Production has one time. `K_SERVICE` is what Cloud Run sets in every function."""
    file = environ.get("UPBEAT_CLOCK_FILE") or None
    if file and environ.get("K_SERVICE"):
        raise InvalidSettings(f"UPBEAT_CLOCK_FILE: expected nothing in a deployed function, found {file!r}")
    return file


def _log_content(environ: Mapping[str, str]) -> bool:
    """No log of production holds personal data."""
    is_asked = read_flag(environ, "UPBEAT_LOG_CONTENT")
    if is_asked and environ.get("K_SERVICE"):
        raise InvalidSettings("UPBEAT_LOG_CONTENT: expected false in a deployed function, found 'true'")
    return is_asked


def _log_level(environ: Mapping[str, str]) -> str:
    value = environ.get("UPBEAT_LOG_LEVEL", "INFO")
    if value.upper() not in LOG_LEVELS:
        raise InvalidSettings(f"UPBEAT_LOG_LEVEL: expected one of {', '.join(LOG_LEVELS)}, found {value!r}")
    return value.upper()


def _features_table(environ: Mapping[str, str]) -> str | None:
    table = environ.get("UPBEAT_FEATURES_TABLE")
    if table and not re.fullmatch(r"projects/[^/]+/instances/[^/]+/tables/[^/]+", table):
        expected = "projects/PROJECT/instances/INSTANCE/tables/TABLE"
        raise InvalidSettings(f"UPBEAT_FEATURES_TABLE: expected {expected}, found {table!r}")
    return table or None


def _placements(environ: Mapping[str, str]) -> Placements | None:
    given = environ.get("UPBEAT_API_PLACEMENTS")
    if not given:
        return None
    expected = 'a JSON object from e-mail addresses to lists of placements or "*"'
    try:
        table = json.loads(given)
    except ValueError:
        raise InvalidSettings(f"UPBEAT_API_PLACEMENTS: expected {expected}, found no JSON") from None
    if not isinstance(table, dict):
        raise InvalidSettings(f"UPBEAT_API_PLACEMENTS: expected {expected}, found {type(table).__name__}")
    for caller, allowed in table.items():
        is_list = isinstance(allowed, list) and all(isinstance(one, str) for one in allowed)
        if not is_list and allowed != EVERY_PLACEMENT:
            raise InvalidSettings(f'UPBEAT_API_PLACEMENTS: {caller}: expected a list or "*", found {allowed!r}')
    return {
        caller: (allowed,) if allowed == EVERY_PLACEMENT else tuple(allowed) for caller, allowed in table.items()
    }


def read_flag(environ: Mapping[str, str], name: str) -> bool:
    """True or false, as a variable says; false without it. Raises `InvalidSettings`."""
    given = environ.get(name, "false")
    if given not in {"true", "false"}:
        raise InvalidSettings(f"{name}: expected true or false, found {given!r}")
    return given == "true"


def _duration(environ: Mapping[str, str], name: str, unit: timedelta, default: timedelta) -> timedelta:
    return unit * _number(environ, name, default / unit)


def _number(environ: Mapping[str, str], name: str, default: float, low: int = 0, high: int = 100_000) -> float:
    """The value of a variable as a number from `low` to `high`. Raises `InvalidSettings` for any other value."""
    value = environ.get(name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = low - 1.0
    if not low <= number <= high:
        raise InvalidSettings(f"{name}: expected a number from {low} to {high}, found {value!r}")
    return number
