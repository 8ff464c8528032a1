"""Paths in Firestore: every collection and document that Upbeat reads or writes, named once.

subscriptions/{user_id}     everything about one user
catalog/current             `version`, which names the catalog in force
catalog/{version}           `catalog`, the content of one catalog
scores/{name}.{version}     `artifact`, the JSON text of a score; never changed once it is there
policies/{name}             `policy`, the JSON text of a policy; replaced whenever a new one is published
clock/{shard}               how far the lifecycle clock has come in one due shard
"""

from typing import NamedTuple

SUBSCRIPTIONS = "subscriptions"
CATALOGS = "catalog"
CURRENT_CATALOG = "current"
CURSORS = "clock"

_RESERVED_MARK = "!"
"""Sorts before every character that a user id may hold, so marked ids still sort as the ids themselves do."""


def user_document_id(user_id: str) -> str:
    """The id of a user's document: the user id itself, except for the few ids that Firestore reserves.

    Those get a mark at their end. See https://firebase.google.com/docs/firestore/quotas#limits.
    """
    reserved = user_id in {".", ".."} or (user_id.startswith("__") and user_id.endswith("__"))
    return user_id + _RESERVED_MARK if reserved else user_id


def user_id_of(document_id: str) -> str:
    """The user whose document has this id."""
    return document_id.removesuffix(_RESERVED_MARK)


class ArtifactLocation(NamedTuple):
    """The place of a score's or a policy's JSON text."""

    collection: str
    id: str
    field: str
    immutable: bool
    """True where a text, once published, is never replaced by another."""


class Artifact(NamedTuple):
    """A score or a policy as it is published: its JSON text and where it belongs."""

    location: ArtifactLocation
    text: str


def score_location(name: str, version: int) -> ArtifactLocation:
    """The place of one version of a score."""
    return ArtifactLocation("scores", f"{name}.{version}", "artifact", immutable=True)


def policy_location(name: str) -> ArtifactLocation:
    """The place of a policy."""
    return ArtifactLocation("policies", name, "policy", immutable=False)
