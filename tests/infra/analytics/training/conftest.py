import pytest
from typer.testing import CliRunner

from infra.__main__ import app


@pytest.fixture
def run():
    """The command line."""
    return lambda *words: CliRunner().invoke(app, words)
