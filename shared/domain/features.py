"""Features: what analysts computed about a user in the warehouse, as a decision knows it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple


class Feature(NamedTuple):
    """The newest value of one feature of a user."""

    value: Any
    """A number, text or a boolean. None: the warehouse does not know it."""
    as_of: datetime
    """The instant (UTC) of which the value tells."""


class KnownFeatures(NamedTuple):
    """The features of one user as of one instant."""

    values: Mapping[str, Feature] = MappingProxyType({})
    """By name; a feature that is not among them has no value."""
    failure: str | None = None
    """The reason why none could be read. None if they were read, whether or not there are any."""


NO_FEATURES = KnownFeatures()
UNCONFIGURED = KnownFeatures(failure="no source of features is configured")
NOT_READ = KnownFeatures(failure="they are not read for a hypothetical decision")
