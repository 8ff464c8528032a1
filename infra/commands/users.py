"""Access to one user's document: in a replay's store, in the running emulators, or in a cloud project."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.commands.inputs import deployment_terms, instant, readable
from infra.errors import InfraError, UsageError

if TYPE_CHECKING:
    from shared.ports import Stored
    from shared.record.user_record import UserRecord

UserId = Annotated[str, typer.Argument(metavar="USER", help="The user's id.")]
Store = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Read what replay --keep-store kept: its folder, or the SQLite file in it."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--now", metavar="TIME", help="The time to show; default: the end of the replay, or the functions' time."
    ),
]


def record_of(user: str, store: Path | None, project: str | None) -> "UserRecord":
    """The user's document. Raises what `find_record` raises, and `InfraError` if there is no such user."""
    record = find_record(user, store, project)
    if record is None:
        raise InfraError(f"no user {user!r} in {place_of(store, project)}")
    return record


def find_record(user: str, store: Path | None, project: str | None) -> "UserRecord | None":
    """The user's document; None if there is none.

    Raises `UsageError` if the id is not valid or both `store` and `project` are given, and `InfraError` if this
    version cannot read the document.
    """
    from infra.inspect.documents import record_in
    from shared.contracts.inbound.fields import ID_IN_WORDS, is_id

    if store and project:
        raise UsageError("expected --store or --project, found both")
    if not is_id(user):
        raise UsageError(f"expected a user's id ({ID_IN_WORDS}), found {user!r}")
    stored = _from_store(store, user) if store else _from_firestore(project, user)
    if stored is None:
        return None
    return record_in(stored, user, place_of(store, project), deployment_terms())


def place_of(store: Path | None, project: str | None) -> str:
    """The place from which users' documents are read, in words."""
    return str(store) if store else f"project {project}" if project else "the emulators"


def as_of(now: str | None, store: Path | None, project: str | None = None) -> datetime:
    """The instant to show (UTC). Raises `UsageError`.

    It is --now; else the end of the store's replay, or the time of the emulators' functions; else the present.
    """
    if given := instant("--now", now):
        return given
    if store or project:
        return (_clock_of(store) if store else None) or datetime.now(UTC)
    from infra.remote.clock import RunningClock
    from infra.remote.running import state_folder

    return RunningClock(state_folder()).now()


def store_file(store: Path) -> Path:
    """The SQLite file of a replay, given by its path or its folder. Raises `UsageError` if it cannot be read."""
    from infra.replay.stores import STORE

    return readable(store / STORE if store.is_dir() else store, "the store of a replay (made with --keep-store)")


def store_folder(store: Path) -> Path:
    """The folder of a replay's store, given by the folder or by the SQLite file in it."""
    return store if store.is_dir() else store.parent


def _from_store(store: Path, user: str) -> "Stored | None":
    from infra.replay.stores import read_document

    return read_document(store_file(store), user)


def _from_firestore(project: str | None, user: str) -> "Stored | None":
    from infra.remote.firestore import client_of, read_document

    return read_document(client_of(project), user)


def _clock_of(store: Path) -> datetime | None:
    """The time at which the replay that kept the store ended; None without a readable summary beside the store."""
    import orjson

    from infra.replay.replay import SUMMARY

    summary = store_folder(store) / SUMMARY
    try:
        return datetime.fromisoformat(orjson.loads(summary.read_bytes())["now"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
