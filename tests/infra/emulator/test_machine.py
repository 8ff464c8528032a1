import json

import pytest
from typer.testing import CliRunner

from infra.__main__ import app
from infra.emulator import machine, sdk
from infra.errors import InfraError


def named(name: str) -> machine.Finding:
    return next(each for each in machine.findings() if each.name == name)


def test_what_is_needed_is_found_where_the_tests_run() -> None:
    assert all(each.found for each in machine.findings() if each.is_needed)
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 0


def test_what_is_missing_comes_with_its_purpose_and_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda _name: None)
    java = named("Java")
    assert (java.found, java.purpose) == ("", "the emulators")
    assert java.remedy.startswith("install a Java runtime")
    output = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"}).output
    assert "missing" in output
    assert "install a Java runtime" in output


def test_without_an_sdk_every_emulator_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise InfraError("no SDK")

    monkeypatch.setattr(sdk, "sdk_folder", none)
    emulators = [each for each in machine.findings() if each.name.endswith("emulator")]
    assert [each.found for each in emulators] == ["", "", ""]
    assert {each.remedy.split()[0] for each in emulators} == {"gcloud"}


def test_what_is_needed_and_missing_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (99, 0))
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1


def test_programs_read_it_as_json() -> None:
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    assert {"name", "found", "purpose", "remedy", "is_needed"} == {*told[0]}
