"""Offline analysis: the warehouse, reports, training, policies, features, and batch scores."""

from importlib.util import find_spec

from infra.errors import UsageError


class MissingRequirements(UsageError):
    """A package of the analysts' requirements that is not installed."""


def require(*modules: str) -> None:
    """Check that these modules are installed. Raises `MissingRequirements`, which says how to install them."""
    missing = [module for module in modules if not _is_installed(module)]
    if missing:
        raise MissingRequirements(
            f"expected {', '.join(missing)}, found none installed:"
            " needs the analysts' requirements: make .venv/.analytics"
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent of it is missing
        return False
