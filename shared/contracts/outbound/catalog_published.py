"""The message that tells that a catalog went in force, with the whole catalog."""

from typing import Any

from pydantic import Field

from shared.contracts.outbound.base import Outbound, UtcTime, name_of, rfc3339
from shared.contracts.topics import Topic


class CatalogPublished(Outbound):
    """A catalog went in force. It is about no user, and so has no `sequence`: order it by `published_at`."""

    TOPIC = Topic.CATALOG_PUBLISHED.value

    catalog_version: str = Field(
        description="The version of the catalog, which triggers, exposures and decisions name. A catalog that is "
        "published again has the same version."
    )
    number: int | None = Field(
        default=None, description="The number of the publication, which grows; null where publications have none."
    )
    published_at: UtcTime = Field(
        description="When it went in force (UTC). Functions use it within a minute; until then, decisions by the "
        "catalog before may still come."
    )
    published_by: str | None = Field(
        default=None,
        description="Who or what put it in force, such as `deploy` or `catalog publish by ada`; null if it did "
        "not say.",
    )
    catalog: dict[str, Any] = Field(
        description="The whole document as functions read it, without the scores and policies that it names."
    )

    def identity(self) -> str:
        """One id for each time that a version went in force."""
        return name_of(self.TOPIC, self.catalog_version, rfc3339(self.published_at))
