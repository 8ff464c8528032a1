"""Settings: what the environment says, checked once and named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shared.domain.errors import UpbeatError
from shared.domain.terms import Terms

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class InvalidSettings(UpbeatError):
    """An environment variable that cannot be used; the text names it, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a deployed function is told by its environment."""

    project: str
    """`GOOGLE_CLOUD_PROJECT`: where Firestore and Pub/Sub are."""
    log_level: str = "INFO"
    """`UPBEAT_LOG_LEVEL`: one of `LOG_LEVELS`, in capitals or not."""
    catalog_seconds: float = 60.0
    """`UPBEAT_CATALOG_SECONDS`: how old the catalog in use may be."""
    exit_before_publish: str | None = None
    """`UPBEAT_EXIT_BEFORE_PUBLISH`, for chaos tests: a file; while it exists, the process removes it and exits
    between a commit and its publish, as a crash would."""
    terms: Terms = field(default_factory=Terms)
    """`UPBEAT_GRACE_DAYS`, `UPBEAT_HOLD_DAYS`, `UPBEAT_PENDING_HOURS`, `UPBEAT_CLOCK_SKEW_MINUTES`,
    `UPBEAT_FRESHNESS_HOURS`, `UPBEAT_REDELIVERY_DAYS`."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment. Raises `InvalidSettings`."""
    project = environ.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        raise InvalidSettings("GOOGLE_CLOUD_PROJECT: expected the id of a Google Cloud project, found nothing")
    usual = Terms()
    return Settings(
        project=project,
        log_level=_log_level(environ),
        catalog_seconds=_number(environ, "UPBEAT_CATALOG_SECONDS", 60.0),
        exit_before_publish=environ.get("UPBEAT_EXIT_BEFORE_PUBLISH"),
        terms=Terms(
            grace=_duration(environ, "UPBEAT_GRACE_DAYS", timedelta(days=1), usual.grace),
            hold=_duration(environ, "UPBEAT_HOLD_DAYS", timedelta(days=1), usual.hold),
            pending=_duration(environ, "UPBEAT_PENDING_HOURS", timedelta(hours=1), usual.pending),
            clock_skew=_duration(environ, "UPBEAT_CLOCK_SKEW_MINUTES", timedelta(minutes=1), usual.clock_skew),
            freshness=_duration(environ, "UPBEAT_FRESHNESS_HOURS", timedelta(hours=1), usual.freshness),
            redelivery=_duration(environ, "UPBEAT_REDELIVERY_DAYS", timedelta(days=1), usual.redelivery),
        ),
    )


def _log_level(environ: Mapping[str, str]) -> str:
    given = environ.get("UPBEAT_LOG_LEVEL", "INFO")
    if given.upper() not in LOG_LEVELS:
        raise InvalidSettings(f"UPBEAT_LOG_LEVEL: expected one of {', '.join(LOG_LEVELS)}, found {given!r}")
    return given.upper()


def _duration(environ: Mapping[str, str], name: str, unit: timedelta, usual: timedelta) -> timedelta:
    return unit * _number(environ, name, usual / unit)


def _number(environ: Mapping[str, str], name: str, usual: float) -> float:
    """A number from 0 to 100,000."""
    given = environ.get(name, str(usual))
    try:
        number = float(given)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100_000:
        raise InvalidSettings(f"{name}: expected a number from 0 to 100000, found {given!r}")
    return number
