"""Skips the modules of tests that need the analysts' requirements where they are not installed."""

import pytest

REASON = "needs the analysts' requirements: `make test-analytics` installs them and runs these"


def required(*modules: str) -> None:
    """Call at the top of a module of tests, before it imports these modules."""
    for module in modules:
        pytest.importorskip(module, reason=REASON)
