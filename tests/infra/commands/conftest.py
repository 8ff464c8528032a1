import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.remote import running


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command line, on a machine where nothing is up."""
    monkeypatch.setenv(running.FOLDER_VARIABLE, str(tmp_path / "state"))
    return lambda *words, **more: CliRunner().invoke(app, words, **more)
