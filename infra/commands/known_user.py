"""Everything that is known of one user, gathered for the commands that tell it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.inputs import deployment_terms
from infra.commands.known_catalogs import KnownCatalogs
from infra.commands.past import past_of
from infra.commands.raw_log import read_raw_log
from infra.commands.users import as_of, find_record, place_of
from infra.errors import InfraError

if TYPE_CHECKING:
    from google.cloud.firestore import Client

    from shared.decisioning.catalog import Catalog
    from shared.domain.terms import Terms
    from shared.queries.current_scores import CurrentScore
    from shared.queries.life import Life
    from shared.queries.past import Past
    from shared.record.user_record import UserRecord


@dataclass(frozen=True)
class KnownUser:
    """Everything known about a user as of an instant."""

    record: "UserRecord"
    """The document of that instant, as far as it is known."""
    now: datetime
    """UTC."""
    terms: "Terms"
    life: "Life"
    """The life up to that instant."""
    past: "Past | None"
    """From where the document is told, if not from the present one."""
    catalogs: KnownCatalogs

    @property
    def scores(self) -> "list[CurrentScore]":
        """The scores of the catalog in force; none if no catalog is known."""
        from shared.queries.current_scores import current_scores

        if self.catalog is None:
            return []
        about = (self.record, self.catalog, self.now, self.terms, self.life)
        return [*current_scores(*about, is_past=self.past is not None)]

    @cached_property
    def catalog(self) -> "Catalog | None":
        """The catalog that is in force at the instant, with its scores; None if none is known."""
        return self.catalogs.in_force(self.now, is_past=self.past is not None and self.life.has_document)


class Asked(NamedTuple):
    """The options by which a user is found."""

    user: str
    store: Path | None
    project: str | None
    now: str | None
    raw: str | None


def known_user(asked: Asked, catalog: "Catalog | None") -> KnownUser:
    """The user that is asked for, with a catalog that was given.

    Raises `InfraError` if nobody knows the user, or if an erasure has left nothing of what is asked for.
    """
    from shared.queries.life import life
    from shared.queries.past_log import from_log_alone

    user, store, project, given, raw = asked
    now, terms = as_of(given, store, project), deployment_terms()
    stored = find_record(user, store, project)
    if stored and stored.erased_at and (stored.is_tombstone or now <= stored.erased_at):
        raise InfraError(erased(user, stored.erased_at))
    log = read_raw_log(user, raw, store, project)
    past: Past | None = None
    if stored is None:
        past = from_log_alone(user, log.messages or [], now, terms)
    elif given:
        past = past_of(stored, now, terms, log)
    record = past.record if past else stored
    told = None if log.messages is None else [one for one in log.messages if not given or one.published_at <= now]
    whole = life(user, told, stored and record, terms)
    if record is None or (stored is None and not whole.entries):
        log_too = f" or in {log.place}" if log.place else ""
        raise InfraError(f"no user {user!r} in {place_of(store, project)}{log_too}")
    if log.gap:
        whole = whole._replace(missing=(*whole.missing, log.gap))
    catalogs = KnownCatalogs(catalog, log, None if store else _client(project))
    return KnownUser(record, now, terms, whole, past, catalogs)


def erased(user: str, at: datetime) -> str:
    """The sentence about a user of whom nothing is known because of an erasure."""
    return f"user {user!r} was erased at {at:%Y-%m-%dT%H:%M:%SZ}: nothing up to then is known"


def _client(project: str | None) -> "Client":
    from infra.remote.firestore import client_of

    return client_of(project)
