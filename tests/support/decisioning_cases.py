"""Decisioning cases as folders: a catalog, the events of a few users, and what is right for each of them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.contracts.inbound.envelope import Delivery, parse_event
from shared.domain.events import Event
from tests.support.case_files import BadCase

FOLDER = Path(__file__).parents[1] / "cases" / "decisioning"
CATALOG, EVENTS, EXPECTED = "catalog.yaml", "events.jsonl", "expected.json"
ISSUE = re.compile(r"[\w.-]+@\d\d-\d\d")


class _Strict(BaseModel):
    """A part of a file; an unknown key is an error, so that a misspelt expectation cannot pass unchecked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class UserExpected(_Strict):
    """The right result for one user. A trigger is named `campaign@MM-DD`, by the day (UTC) of its decision."""

    issued: tuple[str, ...] | None = None
    """Every trigger, in order."""
    must: tuple[str, ...] = ()
    """Triggers among those issued."""
    revoked: Mapping[str, frozenset[str]] | None = None
    """Every revoked trigger, each with the reasons that are right."""
    reasons: Mapping[str, frozenset[str]] = {}
    """For each campaign the reasons that are right. It must lose, and for no other."""
    standing: Mapping[str, int] = {}
    """For each campaign the number of triggers that were issued and never revoked, in any order of delivery."""
    never: frozenset[str] = frozenset()
    """Campaigns that issue nothing, in any order of delivery."""
    not_open: frozenset[str] = frozenset()
    """Campaigns without an open trigger at the end, in any order of delivery."""
    not_before: AwareDatetime | None = None
    expires_by: AwareDatetime | None = None

    @field_validator("issued", "must", "revoked")
    @classmethod
    def _are_triggers(cls, names: Any) -> Any:
        if unknown := [name for name in names or () if not ISSUE.fullmatch(name)]:
            raise ValueError(f"expected triggers as campaign@MM-DD, found {', '.join(unknown)}")
        return names


class AtMost(_Strict):
    """The most triggers of a user on one channel within any `days` days, in any order of delivery."""

    channel: str
    max: int
    days: int


class Alike(_Strict):
    """Users of different variants who are offered the same by some campaigns, at the same moments."""

    users: frozenset[str] = Field(min_length=2)
    campaigns: frozenset[str] = Field(min_length=1)
    experiment: str
    variants: frozenset[str] = Field(min_length=2)


class Expected(_Strict):
    """The right result for a case, at the instant `now`, by the table of its report."""

    what: str
    right: str
    added: str = ""
    now: AwareDatetime
    users: Mapping[str, UserExpected] = Field(min_length=1)
    at_most: tuple[AtMost, ...] = ()
    alike: Alike | None = None


class Case(NamedTuple):
    """One case: the events of its users in the order in which they occurred, and what is expected."""

    folder: Path
    events: dict[str, list[Event]]
    expected: Expected


def names(folder: Path = FOLDER) -> list[str]:
    """The name of every case in a folder."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def names_with_result(folder: Path = FOLDER) -> list[str]:
    """The names of the cases whose result is a file. That of the others is a test."""
    return [name for name in names(folder) if (folder / name / EXPECTED).exists()]


def read(name: str, folder: Path = FOLDER) -> Case:
    """Read a case. Raises `BadCase`, naming the file, and `Rejected` for an event that the contract refuses."""
    path = folder / name
    try:
        expected = Expected.model_validate_json((path / EXPECTED).read_bytes())
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise BadCase(f"{name}/{EXPECTED}: {found}") from error
    events = _events(path / EVENTS)
    if expected.users.keys() != events.keys():
        users, found = (", ".join(sorted(each)) for each in (expected.users, events))
        raise BadCase(f"{name}/{EVENTS}: expected events of {users}, found those of {found}")
    _check_names(name, path, expected)
    return Case(path, events, expected)


def _events(path: Path) -> dict[str, list[Event]]:
    """The events of each user, by the time at which they occurred."""
    lines = map(orjson.loads, path.read_bytes().splitlines())
    events = [parse_event(line["topic"], Delivery(orjson.dumps(line["data"]), {})) for line in lines]
    by_user: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.occurred_at):
        by_user.setdefault(event.user_id, []).append(event)
    return by_user


def _check_names(name: str, path: Path, expected: Expected) -> None:
    """Raise `BadCase` for a campaign that the catalog does not have: no check of it could fail."""
    catalog = yaml.safe_load((path / CATALOG).read_bytes())
    known = catalog["campaigns"].keys() | {f"fallback.{place}" for place in catalog["placements"]}
    named = {one for user in expected.users.values() for one in _campaigns(user)}
    named |= expected.alike.campaigns if expected.alike else set()
    if unknown := named - known:
        raise BadCase(f"{name}/{EXPECTED}: expected campaigns of its catalog, found {', '.join(sorted(unknown))}")


def _campaigns(user: UserExpected) -> set[str]:
    triggers = {*(user.issued or ()), *user.must, *(user.revoked or ())}
    return {one.split("@")[0] for one in triggers} | {*user.reasons, *user.standing, *user.never, *user.not_open}
