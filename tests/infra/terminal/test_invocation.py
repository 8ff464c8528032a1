import sys
from pathlib import Path

import pytest

from infra.terminal.invocation import again


@pytest.fixture
def upbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called upbeat that was started and is not on the PATH."""
    program = tmp_path / "venv" / "bin" / "upbeat"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", "/usr/bin")
    return program


def test_upbeat_on_the_path_is_called_by_its_name(upbeat, monkeypatch):
    monkeypatch.setenv("PATH", str(upbeat.parent))
    assert again() == "upbeat"


@pytest.mark.usefixtures("upbeat")
def test_upbeat_below_the_current_folder_is_called_by_its_path_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert again() == "venv/bin/upbeat"
    monkeypatch.setattr(sys, "argv", ["venv/bin/upbeat"])
    assert again() == "venv/bin/upbeat"


def test_upbeat_anywhere_else_is_called_by_its_whole_path(upbeat):
    assert again() == str(upbeat)


def test_another_upbeat_on_the_path_is_not_the_one_that_was_started(upbeat, tmp_path, monkeypatch):
    other = tmp_path / "other" / "upbeat"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert again() == str(upbeat)


def test_a_module_is_called_by_python(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/infra/__main__.py"])
    monkeypatch.chdir(tmp_path)
    assert again() == "python -m infra"
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    assert again() == ".venv/bin/python -m infra"
