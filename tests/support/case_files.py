"""Lifecycle cases as files: the events of one user, and what must be true of that user at given instants."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from infra.catalog.load import load_catalog
from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.events import Event
from shared.domain.moments import MomentKind
from shared.domain.subscription import Status

FOLDER = Path(__file__).parents[1] / "cases" / "lifecycle"
EVENTS, EXPECTED = ".jsonl", ".expected.json"
CAMPAIGNS = frozenset(load_catalog().document.campaigns)
MOMENT = re.compile(rf"({'|'.join(map(re.escape, MomentKind))})(@\d\d-\d\d)?")


def shown(value: Any) -> str:
    """A fact as a sentence shows it; an instant in UTC."""
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)


class BadCase(Exception):
    """A case's file is not what the README beside it describes."""


class _Strict(BaseModel):
    """A part of a file; an unknown key is an error, so that a misspelt expectation cannot pass unchecked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Instant(_Strict):
    """The facts of the user's view at one instant; a fact that is not given, or null, is not compared."""

    now: AwareDatetime
    status: Status | None = None
    status_in: tuple[Status, ...] = ()
    entitled: bool | None = None
    plan: str | None = None
    period_end: AwareDatetime | None = None
    auto_renew: bool | None = None
    why: str = ""

    def differences(self, view: dict[str, Any]) -> Iterator[str]:
        """One sentence for each fact of the view that is not as it must be."""
        for name in ("status", "entitled", "plan", "period_end", "auto_renew"):
            must = getattr(self, name)
            if must is not None and view[name] != must:
                yield f"{name}: expected {shown(must)}, found {shown(view[name])}"
        if self.status_in and view["status"] not in self.status_in:
            yield f"status: expected one of {', '.join(self.status_in)}, found {view['status']}"


class Expected(_Strict):
    """What must be true of one case. The facts beside `now` at the top are those of one more instant."""

    user: str
    source: str
    what: str
    note: str = ""
    now: AwareDatetime
    status: Status | None = None
    entitled: bool | None = None
    instants: tuple[Instant, ...] = Field(min_length=1)
    triggers_must: frozenset[str] = frozenset()
    triggers_must_not: frozenset[str] = frozenset()
    moments_must: frozenset[str] = frozenset()
    moments_must_not: frozenset[str] = frozenset()

    @field_validator("triggers_must", "triggers_must_not")
    @classmethod
    def _are_campaigns(cls, names: frozenset[str]) -> frozenset[str]:
        if unknown := names - CAMPAIGNS:
            raise ValueError(f"expected campaigns of the default catalog, found {', '.join(sorted(unknown))}")
        return names

    @field_validator("moments_must", "moments_must_not")
    @classmethod
    def _are_moments(cls, names: frozenset[str]) -> frozenset[str]:
        if unknown := [name for name in sorted(names) if not MOMENT.fullmatch(name)]:
            raise ValueError(f"expected moments as kind or kind@MM-DD, found {', '.join(unknown)}")
        return names

    def all_instants(self) -> list[Instant]:
        """The instants in order, with the one that is given at the top."""
        last = Instant(now=self.now, status=self.status, entitled=self.entitled)
        return sorted((*self.instants, last), key=lambda instant: instant.now)


class _Line(_Strict):
    topic: str
    data: dict[str, Any]


class Case(NamedTuple):
    """One case: its events in the order in which they occurred, and what is expected."""

    events: list[Event]
    expected: Expected

    @property
    def ends_at(self) -> datetime:
        """The last instant about which the case says something."""
        return self.expected.all_instants()[-1].now

    def until(self, now: datetime) -> list[Event]:
        """The events that occurred by an instant."""
        return [event for event in self.events if event.occurred_at <= now]


def names(folder: Path = FOLDER) -> list[str]:
    """The name of every case in a folder, also of those that lack one of the two files."""
    found = {path.name.removesuffix(EVENTS).removesuffix(EXPECTED) for path in folder.glob("*.json*")}
    return sorted(found)


def read(name: str, folder: Path = FOLDER) -> Case:
    """Read a case. Raises `BadCase`, naming the file, and `Rejected` for an event that the contract refuses."""
    path = folder / f"{name}{EXPECTED}"
    expected = _parsed(Expected, path, _bytes(path))
    path = folder / f"{name}{EVENTS}"
    lines = [_parsed(_Line, path, raw) for raw in _bytes(path).splitlines() if raw]
    events = [parse_event(line.topic, Delivery(orjson.dumps(line.data), {})) for line in lines]
    if not events:
        raise BadCase(f"{path.name}: expected at least one event, found none")
    if strangers := sorted({event.user_id for event in events} - {expected.user}):
        raise BadCase(f"{path.name}: expected events of {expected.user}, found some of {', '.join(strangers)}")
    return Case(sorted(events, key=lambda event: event.occurred_at), expected)


def _bytes(path: Path) -> bytes:
    if not path.exists():
        raise BadCase(f"{path.name}: expected this file beside the other one of its case, found none")
    return path.read_bytes()


def _parsed(model: type[Any], path: Path, raw: bytes) -> Any:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise BadCase(f"{path.name}: {found}") from error
