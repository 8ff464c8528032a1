"""The places in which `erase` erases a user, opened: an Upbeat, and raw tables."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from infra.commands.inputs import deployment_terms
from infra.commands.raw_log import NONE, place_of_raw_log
from infra.commands.users import place_of, store_file
from infra.errors import InfraError

if TYPE_CHECKING:
    from infra.analytics.warehouse.erasure import UserRemoval
    from infra.privacy.target import Target


class Asked(NamedTuple):
    """The user who is to be erased, and where."""

    user: str
    store: Path | None
    project: str | None
    raw: str | None
    features: str | None

    @property
    def place(self) -> str:
        """The Upbeat in which the user is, in words."""
        return place_of(self.store, self.project)

    @property
    def options(self) -> str:
        """The options that name the place, for a command that is to be run later."""
        given = {"store": self.store, "project": self.project, "raw": self.raw, "features": self.features}
        return "".join(f" --{name} {quote(str(value))}" for name, value in given.items() if value)


@contextmanager
def opened_target(asked: Asked, wait: float) -> "Iterator[Target]":
    """The store's file, or the running Upbeat, whose function has `wait` seconds. Raises `InfraError`."""
    from infra.topology import load

    if asked.store:
        from infra.privacy.store import StoredUpbeat

        yield StoredUpbeat(store_file(asked.store), deployment_terms())
        return
    from infra.commands.common import bus_of
    from infra.privacy.running import RunningUpbeat
    from infra.remote.firestore import client_of
    from infra.remote.running import state_folder

    folder = None if asked.project else state_folder()
    with closing(bus_of(asked.project)) as bus:
        yield RunningUpbeat(client_of(asked.project), bus, load(), deployment_terms(), folder, wait)


@contextmanager
def opened_tables(asked: Asked) -> "Iterator[UserRemoval | None]":
    """The raw tables of a warehouse, opened before anything is erased: what is missing is said in time.

    None if no warehouse is asked for. Raises `InfraError` or `UsageError`.
    """
    where = raw_tables(asked)
    if where is None:
        yield None
        return
    from infra.analytics.warehouse.engine import open_engine

    with ExitStack() as opened:
        try:
            engine = opened.enter_context(open_engine(where))
            from infra.analytics.warehouse.erasure import UserRemoval

            removal = UserRemoval(engine)
        except InfraError as error:
            advice = "nothing was erased; --raw none leaves the tables out, --print-sql prints the statements"
            raise type(error)(f"{where}: {error} ({advice})") from error
        yield removal


def raw_tables(asked: Asked) -> str | None:
    """The warehouse with the raw tables; None if there is none."""
    if asked.raw == NONE or not (asked.raw or asked.project):
        return None
    return place_of_raw_log(asked.raw, None, asked.project)
