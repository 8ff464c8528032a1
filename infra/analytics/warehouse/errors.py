"""The refusals of an engine, told to the person at the keyboard."""

from infra.errors import InfraError


class WarehouseError(InfraError):
    """An engine refused a statement. The text holds its own words."""
