from pathlib import Path

import pytest

from infra.emulator import sdk
from infra.errors import InfraError


@pytest.fixture(autouse=True)
def _no_memory():
    sdk.find.cache_clear()
    yield
    sdk.find.cache_clear()


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with java and an SDK that includes both emulators."""
    for file in ("bin/java", sdk.FIRESTORE_JAR, sdk.PUBSUB_JAR.replace("*", "0.8.20")):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv(sdk.SDK_VARIABLE, str(tmp_path))
    return tmp_path


def test_nothing_is_missing_where_all_is_there(complete):
    assert sdk.missing() is None
    assert sdk.find().firestore_jar == complete / sdk.FIRESTORE_JAR


def test_a_machine_without_java_is_told_so(complete, monkeypatch):
    monkeypatch.setenv("PATH", str(complete))
    assert sdk.missing() == "the emulators need java 11 or newer, and no java is on the PATH"


@pytest.mark.parametrize("component", ["pubsub-emulator", "cloud-firestore-emulator"])
def test_a_missing_component_is_named_with_the_command_that_adds_it(complete, component):
    for jar in (complete / "platform" / component).rglob("*.jar"):
        jar.unlink()
    assert f"gcloud components install {component}" in sdk.missing()


def test_the_emulator_of_bigtable_is_a_program_of_its_own(complete):
    with pytest.raises(InfraError, match="has no bigtable; add it with: gcloud components install bigtable"):
        sdk.find_bigtable()
    program = complete / sdk.BIGTABLE_PROGRAM
    program.parent.mkdir()
    program.touch(mode=0o755)
    assert sdk.find_bigtable() == program


def test_a_named_folder_that_does_not_exist_is_refused(complete, monkeypatch):
    monkeypatch.setenv(sdk.SDK_VARIABLE, str(complete / "none"))
    with pytest.raises(InfraError, match="which is not a folder"):
        sdk.find()


def test_the_sdk_is_found_beside_gcloud(complete, monkeypatch):
    (complete / "bin" / "gcloud").touch(mode=0o755)
    monkeypatch.delenv(sdk.SDK_VARIABLE)
    assert sdk.find().firestore_jar == complete / sdk.FIRESTORE_JAR


def test_gcloud_is_asked_where_its_folder_says_nothing(complete, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "bin"
    elsewhere.mkdir()
    (elsewhere / "gcloud").write_text(f"#!/bin/sh\necho {complete}\n")
    (elsewhere / "gcloud").chmod(0o755)
    monkeypatch.setenv("PATH", f"{elsewhere}:{complete / 'bin'}")
    monkeypatch.delenv(sdk.SDK_VARIABLE)
    monkeypatch.setattr(sdk, "USUAL_FOLDERS", ())
    assert sdk.find().firestore_jar == complete / sdk.FIRESTORE_JAR


@pytest.mark.usefixtures("complete")
def test_a_machine_without_the_sdk_is_told_so(monkeypatch):
    monkeypatch.delenv(sdk.SDK_VARIABLE)
    monkeypatch.setattr(sdk, "USUAL_FOLDERS", ())
    assert (
        sdk.missing() == "the emulators need the gcloud SDK; install it, or name its folder in UPBEAT_GCLOUD_SDK"
    )
