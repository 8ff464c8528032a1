"""Paths in Firestore: the name of every collection and document that Upbeat reads or writes, defined once.

subscriptions/{user_id}     everything about one user
catalog/current             `version`, the version of the catalog in force; `number`, which each publication
                            raises; `published_by`, who or what put it in force; `approved_by`; `emergency`
catalog/{version}           `catalog`, the content of one catalog
publications/{number}       a publication of a catalog: its `number`, `version`, `published_at`, `published_by`,
                            `approved_by`, `emergency`
settings/catalog            `needs_approval`: true where two persons must agree on a catalog
proposals/{version}         a catalog that awaits an approval: `catalog`, `authors`, `proposed_at`, `approved_by`
syncs/{source}              the last sync of the catalog from a source, and the lease of the one under way
webhooks/{id}               a webhook that was accepted, until `expires_at`, so that a replay is refused
scores/{name}.{version}     `artifact`, the JSON text of a score; immutable once published
policies/{name}             `policy`, the JSON text of a policy; replaced whenever a new one is published
clock/{shard}               the lifecycle clock's cursor in one due shard
sweeps/{key}                the position of a recall or of another sweep over users

`shared/adapters/gcp/mail.py` names those of the functions for e-mail.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from shared.domain.events import MAX_CATALOG_NUMBER

SUBSCRIPTIONS = "subscriptions"
CATALOGS = "catalog"
CURRENT_CATALOG = "current"
PUBLICATIONS = "publications"
PROPOSALS = "proposals"
SYNCS = "syncs"
WEBHOOKS = "webhooks"
SETTINGS, CATALOG_SETTINGS = "settings", "catalog"
CURSORS = "clock"
SWEEPS = "sweeps"

# Versions that are valid document ids in Firestore, and never a path to another document.
is_version = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}").fullmatch

_RESERVED_MARK = " "
"""Sorts before every character that a user id may contain, so marked ids keep the order of the user ids."""


def is_reserved(id_: str) -> bool:
    """True for an id that no document may have: https://firebase.google.com/docs/firestore/quotas#limits."""
    return id_ in {".", ".."} or (id_.startswith("__") and id_.endswith("__"))


def user_document_id(user_id: str) -> str:
    """The id of a user's document: the user id, with a mark at the end if Firestore reserves that id."""
    return user_id + _RESERVED_MARK if is_reserved(user_id) else user_id


def user_id_of(document_id: str) -> str:
    """The id of the user to whom a document belongs."""
    return document_id.removesuffix(_RESERVED_MARK)


class CatalogPointer(NamedTuple):
    """The content of `catalog/current`."""

    version: object
    """The version of the catalog in force. None if there is none, anything if others wrote it."""
    number: int
    """The number of its publication; 0 if it was published without one."""
    published_by: object = None
    """The person or process that put it in force, as said; None if that was not said."""
    approved_by: object = None
    """The second person, who approved it; None if it awaited no approval."""
    emergency: object = None
    """The reason for which it did not wait for a second person; None if there was none."""

    @classmethod
    def of(cls, fields: Mapping[str, Any] | None) -> Self:
        """The pointer in the fields of a document, which may not exist. A number that is no number counts as 0."""
        content = fields or {}
        number = content.get("number")
        if type(number) is not int or not 0 <= number <= MAX_CATALOG_NUMBER:
            number = 0
        said = (content.get(name) for name in ("published_by", "approved_by", "emergency"))
        return cls(content.get("version"), number, *said)


def publication_id(number: int) -> str:
    """The id of the document about one publication. Ids sort as numbers do."""
    return f"{number:0{len(str(MAX_CATALOG_NUMBER))}}"


class ArtifactLocation(NamedTuple):
    """The location of a score's or a policy's JSON text."""

    collection: str
    id: str
    field: str
    immutable: bool
    """True if a published text is never replaced by a different one."""

    @property
    def path(self) -> str:
        """The path of the document, for people."""
        return f"{self.collection}/{self.id}"


class PublishedArtifact(NamedTuple):
    """A score or a policy to publish: its JSON text and its location."""

    location: ArtifactLocation
    text: str


def score_location(name: str, version: int) -> ArtifactLocation:
    """The location of one version of a score."""
    return ArtifactLocation("scores", f"{name}.{version}", "artifact", immutable=True)


def policy_location(name: str) -> ArtifactLocation:
    """The location of a policy."""
    return ArtifactLocation("policies", name, "policy", immutable=False)
