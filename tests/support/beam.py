"""Skips the modules of tests that run pipelines where Beam is not installed."""

import pytest

REASON = "needs Apache Beam, which has an environment of its own: `make test-beam` makes it and runs these"


def required() -> None:
    """Call at the top of a module of tests, before it imports Beam."""
    pytest.importorskip("apache_beam", reason=REASON)
