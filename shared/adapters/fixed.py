"""A catalog that never changes, for local runtimes: it avoids Google's clients and their start-up time."""

from shared.decisioning.catalog import Catalog


class FixedCatalogs:
    """Always the same catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog

    async def current(self, at_least: int = 0) -> Catalog:  # noqa: ARG002 - there is no newer one to look for
        """See `Catalogs.current`."""
        return self.catalog
