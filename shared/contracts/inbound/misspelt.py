"""Misspelt fields of an event: they are unknown fields, which are ignored, so that nothing else tells of them."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from pydantic import BaseModel

from shared.contracts.inbound.base import Inbound, ProfileFacts

MAX_LOOKED_AT = 32
"""The most unknown fields of an object that are compared with the known ones."""
MAX_TOLD = 8
"""The most fields that are told of an event."""
CLOSE = 0.8
"""The least similarity of two names, from 0 to 1, that counts as a slip."""
PROFILE = "profile"
_is_a_name = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}").fullmatch
"""Other names are not told: they may be values."""


def misspelt(model: type[Inbound], content: Mapping[str, Any]) -> tuple[str, ...]:
    """The unknown fields of an event that are close to a known one which it lacks: `period_ends (period_end?)`."""
    given = content.get(PROFILE)
    profile: Mapping[str, Any] = given if isinstance(given, dict) else {}
    if _names(model).issuperset(content) and _names(ProfileFacts).issuperset(profile):
        return ()
    found = (*_slips(model, "", content, content), *_slips(ProfileFacts, f"{PROFILE}.", profile, content))
    return found[:MAX_TOLD]


def _slips(
    model: type[BaseModel], path: str, part: Mapping[str, Any], content: Mapping[str, Any]
) -> Iterator[str]:
    """The slips in a part of the content, at a path that ends in a dot."""
    unknown = (name for name in part if name not in _names(model))
    for name in islice(unknown, MAX_LOOKED_AT):
        meant = close_field(model, name)
        if meant and not _has(content, f"{path}{meant}"):
            yield f"{path}{name} ({path}{meant}?)"


def close_field(model: type[BaseModel], name: str) -> str | None:
    """The path of the field that an unknown one most likely means; None if it is close to none."""
    return _close(model, name) if _is_a_name(name) else None


def _has(content: Mapping[str, Any], path: str) -> bool:
    first, _, second = path.partition(".")
    value = content.get(first)
    return value is not None and (not second or (isinstance(value, dict) and value.get(second) is not None))


@cache
def _names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(model.model_fields)


@cache
def _paths(model: type[BaseModel]) -> dict[str, str]:
    """The path of each field by its name; beside those of an event, the facts of its profile."""
    inner = ProfileFacts.model_fields if PROFILE in model.model_fields else {}
    return {name: f"{PROFILE}.{name}" for name in inner} | {name: name for name in model.model_fields}


@lru_cache(maxsize=1024)  # a producer sends the same names with each event
def _close(model: type[BaseModel], name: str) -> str | None:
    written, paths = _snake_case(name), _paths(model)
    plain = {known.replace("_", ""): known for known in paths}
    close = get_close_matches(written.replace("_", ""), plain, n=1, cutoff=CLOSE)
    known = plain[close[0]] if close else ""
    is_another = written.startswith(f"{known}_")  # an order_id is no order
    return None if is_another else paths.get(known)


def _snake_case(name: str) -> str:
    """`trialEndsAt` and `trial-ends-at` as `trial_ends_at`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
